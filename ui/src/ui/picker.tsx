import { cloneElement, lazy, type ReactElement, type ReactNode, Suspense, useState } from 'react';

export interface PickerItem {
  value: string;
  label: string;
  hint?: ReactNode;
  icon?: ReactNode;
  keywords?: string;
}
export interface PickerGroup {
  label: string;
  items: PickerItem[];
}
export interface PickerProps {
  groups: readonly PickerGroup[];
  onPick: (value: string) => void;
  /** The button that opens the list; gets its click from here. */
  children: (open: () => void, opened: boolean) => ReactElement;
  searchLabel: string;
  selected?: string | undefined;
  width?: number;
}

const load = () => import('./picker-impl');
const Impl = lazy(() => load().then((module) => ({ default: module.PickerImpl })));

/** A long grouped list behind a button, with a search on top: fields, traits, columns. Its code comes with the press. */
export function Picker(props: PickerProps) {
  const [wanted, setWanted] = useState(false);
  const button = props.children(() => setWanted(true), false) as ReactElement<Record<string, unknown>>;
  const target = cloneElement(button, { onPointerEnter: load, onFocus: load });
  if (!wanted) return target;
  return (
    <Suspense fallback={target}>
      <Impl {...props} />
    </Suspense>
  );
}
