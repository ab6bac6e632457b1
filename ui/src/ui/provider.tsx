import { type ReactNode, useLayoutEffect } from 'react';
import { useColorScheme } from './color-scheme';
import { ConfirmHost } from './confirm';
import { ToastHost } from './toast';

/** Everything that the parts of this folder need around them: the colour scheme, toasts, questions. */
export function UiProvider({ children }: { children: ReactNode }) {
  const scheme = useColorScheme();
  useLayoutEffect(() => {
    document.documentElement.setAttribute('data-mantine-color-scheme', scheme);
  }, [scheme]);
  return (
    <>
      {children}
      <ConfirmHost />
      <ToastHost />
    </>
  );
}
