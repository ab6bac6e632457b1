import { IconChevronDown } from '@tabler/icons-react';
import type { Condition } from '@/api';
import { labelText, useTranslation } from '@/i18n';
import { resolvePath } from '@/metadata';
import { Picker } from '@/ui';
import { lifecycleKind } from '../events';
import {
  isEvent,
  isField,
  isLifecycle,
  isList,
  isRandom,
  isRecord,
  isSegment,
  isSequence,
  isTop,
  isTrait,
} from '../tree';
import css from './builder.module.css';
import { type BuilderScope, useScope } from './scope';
import { startCondition, subjectOf, useSubjects } from './subjects';

/** "Order › Level" for a path over relations. */
function pathLabel(path: string, { objects, object, context }: BuilderScope): string {
  const found = resolvePath(objects, object?.key ?? '', path);
  if (found === null) return path;
  return [...found.through, found.field]
    .map((step) => labelText(step.label, context.language, step.key))
    .join(' \u203a ');
}

function useSubjectLabel(condition: Condition | null, scope: BuilderScope): { kind: string; label: string } {
  const { t } = useTranslation('conditions');
  const { language } = scope.context;
  if (condition === null) return { kind: '', label: t('conditions:pick.choose') };
  if (isTrait(condition)) {
    const trait = scope.traits.find((candidate) => candidate.key === condition.trait);
    return { kind: t('conditions:kind.trait'), label: labelText(trait?.label, language, condition.trait) };
  }
  if (isField(condition)) return { kind: t('conditions:kind.field'), label: pathLabel(condition.field, scope) };
  if (isRecord(condition)) {
    const object = scope.objects.find((candidate) => candidate.key === condition.record);
    return { kind: t('conditions:kind.record'), label: labelText(object?.label, language, condition.record) };
  }
  if (isSegment(condition) || isList(condition)) return { kind: '', label: t('conditions:kind.segment') };
  if (isRandom(condition)) return { kind: '', label: t('conditions:kind.random') };
  if (isTop(condition)) return { kind: '', label: t('conditions:kind.top') };
  if (isEvent(condition)) return { kind: '', label: t('conditions:kind.event') };
  if (isSequence(condition)) return { kind: '', label: t('conditions:kind.sequence') };
  if (isLifecycle(condition)) return { kind: '', label: t(`conditions:kind.${lifecycleKind(condition)}`) };
  return { kind: '', label: t('common:advancedCondition') };
}

interface Props {
  condition: Condition | null;
  onChange: (condition: Condition | null) => void;
}

/** The first box of a row: what the condition is about. */
export function SubjectPicker({ condition, onChange }: Props) {
  const { t } = useTranslation('conditions');
  const scope = useScope();
  const groups = useSubjects();
  const { kind, label } = useSubjectLabel(condition, scope);
  return (
    <Picker
      groups={groups}
      selected={condition === null ? undefined : subjectOf(condition)}
      searchLabel={t('conditions:pick.search')}
      width={340}
      onPick={(subject) => onChange(startCondition(subject, scope))}
    >
      {(open, opened) => (
        <button
          type="button"
          className={css.subject}
          data-empty={condition === null || undefined}
          aria-expanded={opened}
          aria-haspopup="listbox"
          onClick={open}
          disabled={scope.readOnly}
        >
          <span className="truncate">
            {kind !== '' && (
              <span className={css.kind}>
                {kind} {'\u00b7'}{' '}
              </span>
            )}
            {label}
          </span>
          <IconChevronDown size={14} aria-hidden />
        </button>
      )}
    </Picker>
  );
}
