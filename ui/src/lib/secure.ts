/** Whether this browser can keep things sealed: over https, or on this machine itself. */
export const vaultPossible = (): boolean =>
  globalThis.isSecureContext === true && 'indexedDB' in globalThis && globalThis.crypto?.subtle !== undefined;
