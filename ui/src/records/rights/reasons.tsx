import { IconCheck, IconX } from '@tabler/icons-react';
import type { Explanation } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import css from './rights.module.css';

/** Every rule that grants or denies, action by action. */
export function Reasons({ explanation }: { explanation: Explanation }) {
  const { t } = useTranslation('rights');
  const label = useLabel();
  const fields = (list: Explanation['hidden']) =>
    list.map((each) => label(each.label, each.key)).join(t('rights:comma'));
  return (
    <>
      <ul className={css.verdicts}>
        {explanation.actions.map(({ action, granted, rules }) => (
          <li key={action}>
            <span className={css.verdict} data-granted={granted || undefined}>
              {granted ? <IconCheck size={16} aria-hidden /> : <IconX size={16} aria-hidden />}
              <strong>{t(`rights:action.${action}`)}</strong>
              <span className="muted">{granted ? t('rights:explain.yes') : t('rights:explain.no')}</span>
            </span>
            <ul>
              {rules.map((rule) => (
                <li key={rule.rule + label(rule.text)} data-grants={rule.grants || undefined}>
                  {label(rule.text)}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
      {explanation.hidden.length > 0 && (
        <p className="muted">{t('rights:explain.hidden', { fields: fields(explanation.hidden) })}</p>
      )}
      {explanation.masked.length > 0 && (
        <p className="muted">{t('rights:explain.masked', { fields: fields(explanation.masked) })}</p>
      )}
    </>
  );
}
