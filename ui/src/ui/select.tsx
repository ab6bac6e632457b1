import { lazy, type ReactNode, type Ref, Suspense } from 'react';
import type { InputProps } from './input-base';
import { ControlSkeleton } from './skeleton';

export interface SelectOption {
  value: string;
  label: string;
  /** A hue puts a dot before the label. */
  color?: string;
  disabled?: boolean;
  group?: string;
}

export interface SharedSelectProps extends InputProps {
  options: readonly SelectOption[];
  searchable?: boolean;
  clearable?: boolean;
  onSearch?: (text: string) => void;
  searchValue?: string;
  /** Shown instead of "nothing found", for example while loading. */
  empty?: ReactNode;
  /** Opens at once: for editors inside cells. */
  defaultOpened?: boolean;
  onClosed?: () => void;
  /** Inside a popover: the list belongs to it, so that choosing is no click beside it. */
  inPanel?: boolean;
  ref?: Ref<HTMLInputElement>;
}

export interface SelectProps extends SharedSelectProps {
  value: string | null;
  onChange: (value: string | null) => void;
}
export interface MultiSelectProps extends SharedSelectProps {
  value: string[];
  onChange: (value: string[]) => void;
}
export interface TagsProps extends Omit<InputProps, 'leftSection'> {
  value: string[];
  onChange: (value: string[]) => void;
  suggestions?: string[];
  ref?: Ref<HTMLInputElement>;
}

// The code of lists with search is the heaviest of all inputs: pages that only might edit do not wait for it.
const load = () => import('./select-impl');
const Single = lazy(() => load().then((module) => ({ default: module.SelectImpl })));
const Multi = lazy(() => load().then((module) => ({ default: module.MultiSelectImpl })));
const Tags = lazy(() => load().then((module) => ({ default: module.TagsInputImpl })));

export function Select(props: SelectProps) {
  return (
    <Suspense fallback={<ControlSkeleton label={props.label} />}>
      <Single {...props} />
    </Suspense>
  );
}

export function MultiSelect(props: MultiSelectProps) {
  return (
    <Suspense fallback={<ControlSkeleton label={props.label} />}>
      <Multi {...props} />
    </Suspense>
  );
}

/** Free words; pasting a list separated by commas, Chinese commas or lines makes one tag each. */
export function TagsInput(props: TagsProps) {
  return (
    <Suspense fallback={<ControlSkeleton label={props.label} />}>
      <Tags {...props} />
    </Suspense>
  );
}
