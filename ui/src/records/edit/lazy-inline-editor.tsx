import { lazy, Suspense } from 'react';
import type { InlineEditorProps } from './inline-editor';

const load = () => import('./inline-editor');
const Impl = lazy(() => load().then((module) => ({ default: module.InlineEditor })));

/** Fetches what editing needs before the first edit: call it when somebody turns to a place where one can edit. */
export const readyToEdit = (): void => {
  void load();
};

/** The editor of one value where it stands; its code is no part of the first page. */
export function InlineEditor(props: InlineEditorProps) {
  return (
    <Suspense>
      <Impl {...props} />
    </Suspense>
  );
}
