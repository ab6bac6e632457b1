import { type ComponentType, lazy } from 'react';
import type { FieldType } from '@/api';
import { loadWords } from '@/i18n';
import { AddressEditor } from './address/editor';
import { EmailEditor, PhoneEditor, TextEditor, UrlEditor } from './base/text-editor';
import { BirthdayEditor } from './birthday/editor';
import { BoolEditor } from './bool/editor';
import { ChoiceEditor } from './choice/editor';
import { DateEditor } from './date/editor';
import { DatetimeEditor } from './datetime/editor';
import { DurationEditor } from './duration/editor';
import { JsonEditor } from './json/editor';
import type { EditorProps } from './kind';
import { LongTextEditor } from './long_text/editor';
import { MoneyEditor } from './money/editor';
import { MultiChoiceEditor } from './multi_choice/editor';
import { NumberEditor } from './number/editor';
import { PercentEditor } from './percent/editor';
import { RatingEditor } from './rating/editor';
import { RecordEditor } from './record/editor';
import { RegionEditor } from './region/editor';
import { RelationEditor } from './relation/editor';
import { RelationManyEditor } from './relation_many/editor';
import { TagsEditor } from './tags/editor';
import { UserEditor } from './user/editor';

const FileEditor = lazy(async () => {
  const [module] = await Promise.all([import('./base/file-editor'), loadWords('filefield')]);
  return { default: module.FileEditor };
});

/** One line per field type, as the registry has: what edits a value. A file of its own, loaded when somebody edits. */
const FIELD_EDITORS = {
  text: TextEditor,
  long_text: LongTextEditor,
  number: NumberEditor,
  money: MoneyEditor,
  bool: BoolEditor,
  date: DateEditor,
  datetime: DatetimeEditor,
  choice: ChoiceEditor,
  multi_choice: MultiChoiceEditor,
  tags: TagsEditor,
  phone: PhoneEditor,
  email: EmailEditor,
  url: UrlEditor,
  region: RegionEditor,
  address: AddressEditor,
  relation: RelationEditor,
  relation_many: RelationManyEditor,
  user: UserEditor,
  auto_number: TextEditor,
  birthday: BirthdayEditor,
  json: JsonEditor,
  record: RecordEditor,
  percent: PercentEditor,
  duration: DurationEditor,
  rating: RatingEditor,
  file: FileEditor,
  image: FileEditor,
} as const satisfies Record<FieldType, ComponentType<EditorProps>>;

export function FieldEditorImpl(props: EditorProps) {
  const Editor = FIELD_EDITORS[props.field.type] ?? TextEditor;
  return <Editor {...props} />;
}
