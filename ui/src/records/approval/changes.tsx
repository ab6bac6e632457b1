import type { Approval } from '@/api';
import { useFieldContext } from '@/fields';
import { labelText, useTranslation } from '@/i18n';
import { useObject } from '@/metadata';
import { changeText } from '../page/timeline';
import css from './approval.module.css';

/** What a request would write, beside what stood there when it was made. */
export function ProposedChanges({ request }: { request: Approval }) {
  const { t } = useTranslation('approvals');
  const object = useObject(request.object);
  const context = useFieldContext();
  if (request.changes.length === 0) return null;
  const fresh = request.action === 'create';
  return (
    <table className={css.changes}>
      <thead>
        <tr>
          <th scope="col">{t('approvals:field')}</th>
          {!fresh && <th scope="col">{t('approvals:before')}</th>}
          <th scope="col">{t(fresh ? 'approvals:value' : 'approvals:after')}</th>
        </tr>
      </thead>
      <tbody>
        {request.changes.map((change) => (
          <tr key={change.field}>
            <th scope="row">{labelText(change.label, context.language, change.field)}</th>
            {!fresh && (
              <td>
                <del>{changeText(change.before, change, object, context)}</del>
              </td>
            )}
            <td>
              <ins>{changeText(change.after, change, object, context)}</ins>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
