import { IconAdjustments, IconArrowBackUp, IconFilter } from '@tabler/icons-react';
import { ACTIONS, type Action, EVERYTHING, type ObjectType, type RoleDraft, type Scope } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useObjects } from '@/metadata';
import { IconButton, ObjectIcon } from '@/ui';
import { grantsOf, limitedFields, scopesFor, withoutObject, withScope } from './role-draft';
import css from './roles.module.css';

/** A part of a role that is shaped beside the matrix. */
export type RolePart = { object: string; action?: Action };

interface Props {
  draft: RoleDraft;
  fixed: boolean;
  faults: readonly { location: string; message: string }[];
  onChange: (draft: RoleDraft) => void;
  onOpen: (part: RolePart) => void;
}

interface CellProps extends Props {
  object: ObjectType | null;
  name: string;
  action: Action;
}

function Cell({ draft, fixed, faults, object, name, action, onChange, onOpen }: CellProps) {
  const { t } = useTranslation('rights');
  const key = object?.key ?? EVERYTHING;
  const grants = grantsOf(draft, key);
  const scope: Scope = grants.actions[action]?.scope ?? 'none';
  const at = `objects.${key}.actions.${action}`;
  const wrong = faults.find(({ location }) => location === at || location.startsWith(`${at}.`));
  const blind = action !== 'read' && (grants.actions.read?.scope ?? 'none') === 'none';
  return (
    <td className={css.cell}>
      <span className={css.cellIn}>
        <select
          className={css.scope}
          data-scope={scope}
          data-bad={wrong !== undefined || undefined}
          aria-label={t('rights:matrix.scopeOf', { object: name, action: t(`rights:action.${action}`) })}
          title={wrong?.message}
          disabled={fixed || blind}
          value={scope}
          onChange={(event) => {
            const next = event.target.value as Scope;
            onChange(withScope(draft, key, action, next));
            if (next === 'condition') onOpen({ object: key, action });
          }}
        >
          {scopesFor(object).map((each) => (
            <option key={each} value={each}>
              {t(`rights:scope.${each}`)}
            </option>
          ))}
        </select>
        {scope === 'condition' && (
          <IconButton
            size="sm"
            label={t('rights:matrix.condition')}
            icon={<IconFilter size={14} />}
            onClick={() => onOpen({ object: key, action })}
          />
        )}
      </span>
    </td>
  );
}

/** Objects against actions: which records each action reaches. */
export function RoleMatrix(props: Props) {
  const { draft, fixed, onChange, onOpen } = props;
  const { t } = useTranslation('rights');
  const label = useLabel();
  const objects = useObjects().filter((object) => object.key !== 'user');
  const row = (object: ObjectType | null) => {
    const key = object?.key ?? EVERYTHING;
    const own = object === null || draft.objects[key] !== undefined;
    const name = object === null ? t('rights:matrix.everything') : label(object.plural, object.key);
    const limited = limitedFields(grantsOf(draft, key));
    return (
      <tr key={key} data-follows={!own || undefined}>
        <th scope="row" className={css.object}>
          <span className={css.objectIn}>
            {object !== null && <ObjectIcon name={object.icon} />}
            <span className="truncate">{name}</span>
            {object !== null && own && !fixed && (
              <IconButton
                size="sm"
                label={t('rights:matrix.follow', { object: name })}
                icon={<IconArrowBackUp size={14} />}
                onClick={() => onChange(withoutObject(draft, key))}
              />
            )}
          </span>
        </th>
        <td className={css.cell}>
          {object !== null && (
            <button
              type="button"
              className={css.fields}
              data-limited={limited > 0 || undefined}
              disabled={fixed}
              onClick={() => onOpen({ object: key })}
            >
              <IconAdjustments size={14} />
              {limited > 0 ? t('rights:matrix.limited', { count: limited }) : t('rights:matrix.allFields')}
              <span className="sr-only"> {t('rights:matrix.fieldsOf', { object: name })}</span>
            </button>
          )}
        </td>
        {ACTIONS.map((action) => (
          <Cell key={action} {...props} object={object} name={name} action={action} />
        ))}
      </tr>
    );
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls sideways must be reachable by keyboard
    <section className={css.wrap} aria-label={t('rights:matrix.title')} tabIndex={0}>
      <table className={css.matrix}>
        <thead>
          <tr>
            <th scope="col" className={css.object}>
              {t('rights:matrix.object')}
            </th>
            <th scope="col">{t('rights:matrix.fields')}</th>
            {ACTIONS.map((action) => (
              <th key={action} scope="col">
                {t(`rights:action.${action}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {row(null)}
          {objects.map(row)}
        </tbody>
      </table>
    </section>
  );
}
