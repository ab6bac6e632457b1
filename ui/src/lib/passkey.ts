/** Passkeys (Web Authentication): options come as JSON and go to the browser as bytes, answers the other way. */

export interface PasskeyOptions {
  publicKey: Record<string, unknown>;
}
type Named = { id: string; type: 'public-key'; transports?: AuthenticatorTransport[] };

/** What a browser refused: somebody closed its window, the key is there already, or something else. */
export class PasskeyError extends Error {
  constructor(readonly why: 'cancelled' | 'known' | 'failed') {
    super(why);
  }
}

export const canPasskey = (): boolean => typeof window.PublicKeyCredential === 'function';

function bytes(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
function text(buffer: ArrayBuffer | null): string | undefined {
  if (buffer === null) return undefined;
  let binary = '';
  for (const byte of new Uint8Array(buffer)) binary += String.fromCharCode(byte);
  return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
const named = (list: unknown): PublicKeyCredentialDescriptor[] =>
  ((list ?? []) as Named[]).map((each) => ({ ...each, id: bytes(each.id) }));

async function ceremony(run: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const found = await run();
    if (found instanceof PublicKeyCredential) return found;
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    if (name === 'NotAllowedError' || name === 'AbortError') throw new PasskeyError('cancelled');
    if (name === 'InvalidStateError') throw new PasskeyError('known');
  }
  throw new PasskeyError('failed');
}

const whole = (made: PublicKeyCredential, response: Record<string, unknown>) => ({
  id: made.id,
  rawId: text(made.rawId),
  type: made.type,
  clientExtensionResults: made.getClientExtensionResults(),
  ...(made.authenticatorAttachment !== null && { authenticatorAttachment: made.authenticatorAttachment }),
  response,
});

/** Asks the browser to make a passkey. */
export async function makePasskey({ publicKey }: PasskeyOptions): Promise<object> {
  const user = publicKey.user as { id: string };
  const made = await ceremony(() =>
    navigator.credentials.create({
      publicKey: {
        ...publicKey,
        challenge: bytes(publicKey.challenge as string),
        user: { ...user, id: bytes(user.id) },
        excludeCredentials: named(publicKey.excludeCredentials),
      } as unknown as PublicKeyCredentialCreationOptions,
    }),
  );
  const response = made.response as AuthenticatorAttestationResponse;
  return whole(made, {
    clientDataJSON: text(response.clientDataJSON),
    attestationObject: text(response.attestationObject),
    transports: response.getTransports?.() ?? [],
  });
}

/** Asks the browser to sign with a passkey. */
export async function showPasskey({ publicKey }: PasskeyOptions): Promise<object> {
  const used = await ceremony(() =>
    navigator.credentials.get({
      publicKey: {
        ...publicKey,
        challenge: bytes(publicKey.challenge as string),
        allowCredentials: named(publicKey.allowCredentials),
      } as unknown as PublicKeyCredentialRequestOptions,
    }),
  );
  const response = used.response as AuthenticatorAssertionResponse;
  return whole(used, {
    clientDataJSON: text(response.clientDataJSON),
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
    userHandle: text(response.userHandle),
  });
}
