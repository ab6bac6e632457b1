import { cloneElement, lazy, type ReactElement, type ReactNode, Suspense, useState } from 'react';

export type MenuEntry =
  | { divider: true }
  | { heading: ReactNode }
  | {
      label: ReactNode;
      icon?: ReactNode;
      hint?: ReactNode;
      danger?: boolean;
      disabled?: boolean;
      checked?: boolean;
      keepOpen?: boolean;
      onSelect: () => void;
    };

export interface MenuProps {
  target: ReactElement;
  entries: readonly MenuEntry[];
  position?: 'bottom-start' | 'bottom-end' | 'top-start' | 'right-end';
  width?: number | 'target';
  /** It was asked for before its own code was there: it opens at once. */
  startOpen?: boolean;
}

/** A menu whose entries are fetched too: `load` brings the component that shows them with `startOpen`. */
export function useLateMenu(load: () => Promise<unknown>): { wanted: boolean; trigger: Record<string, unknown> } {
  const [wanted, setWanted] = useState(false);
  const fetch = () => void load();
  return {
    wanted,
    trigger: { 'aria-haspopup': 'menu', onPointerEnter: fetch, onFocus: fetch, onClick: () => setWanted(true) },
  };
}

const load = () => import('./menu-impl');
const Impl = lazy(() => load().then((module) => ({ default: module.MenuImpl })));

/** A list of actions behind a button. Its code comes when somebody is about to use it. */
export function Menu(props: MenuProps) {
  const [wanted, setWanted] = useState(props.startOpen === true);
  const target = cloneElement(props.target as ReactElement<Record<string, unknown>>, {
    'aria-haspopup': 'menu',
    onPointerEnter: load,
    onFocus: load,
    onClick: () => setWanted(true),
  });
  if (!wanted) return target;
  return (
    <Suspense fallback={target}>
      <Impl {...props} />
    </Suspense>
  );
}
