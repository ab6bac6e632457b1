import '@testing-library/jest-dom/vitest';
import { cleanup, configure } from '@testing-library/react';
import { afterEach } from 'vitest';

afterEach(cleanup);
// Parts that load when they are first opened take longer than a second where the machine is busy.
configure({ asyncUtilTimeout: 10_000 });

// Mantine asks for these; happy-dom has no layout.
if (!('ResizeObserver' in globalThis)) {
  Object.assign(globalThis, {
    ResizeObserver: class {
      observe() {}
      unobserve() {}
      disconnect() {}
    },
  });
}
Element.prototype.scrollIntoView ??= () => {};
