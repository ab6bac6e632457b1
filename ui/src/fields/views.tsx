import type { Field } from '@/api';
import type { EditorProps, FieldContext } from './kind';
import { isEmptyValue } from './kind';
import { kindOf } from './registry';

/** The editor of a field by its type. */
export function FieldEditor(props: EditorProps) {
  const { Editor } = kindOf(props.field.type);
  return <Editor {...props} />;
}

interface ViewProps {
  field: Field;
  value: unknown;
  context: FieldContext;
}
/** A value on a page; a dash where there is none. Grids call kindOf(type).display themselves. */
export function FieldView({ field, value, context }: ViewProps) {
  if (isEmptyValue(value)) return <span className="muted">{'\u2013'}</span>;
  return kindOf(field.type).display(value, field, context);
}
