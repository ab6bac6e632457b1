import { lazy, Suspense } from 'react';
import type { Field } from '@/api';
import { loadWords } from '@/i18n';
import { ControlSkeleton } from '@/ui';
import type { EditorProps, FieldContext } from './kind';
import { isEmptyValue } from './kind';
import { kindOf } from './registry';

const Impl = lazy(() => import('./editors').then((module) => ({ default: module.FieldEditorImpl })));

const FilesView = lazy(async () => {
  const [module] = await Promise.all([import('./base/file-view'), loadWords('filefield')]);
  return { default: module.FilesView };
});

/** The editor of a field by its type. */
export function FieldEditor(props: EditorProps) {
  return (
    <Suspense fallback={<ControlSkeleton label={props.inCell === true ? undefined : props.label} />}>
      <Impl {...props} />
    </Suspense>
  );
}

interface ViewProps {
  field: Field;
  value: unknown;
  context: FieldContext;
}
/** A value on a page; a dash where there is none. Grids call kindOf(type).display themselves. */
export function FieldView({ field, value, context }: ViewProps) {
  if (isEmptyValue(value)) return <span className="muted">{'\u2013'}</span>;
  const shown = kindOf(field.type).display(value, field, context);
  if (field.type !== 'file' && field.type !== 'image') return shown;
  return (
    <Suspense fallback={shown}>
      <FilesView field={field} value={value} context={context} />
    </Suspense>
  );
}
