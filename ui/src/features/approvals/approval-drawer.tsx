import { useQuery } from '@tanstack/react-query';
import { type Approval, approvalQuery, fileUrl } from '@/api';
import { labelText, useFormat, useLabel, useLanguage, useTranslation } from '@/i18n';
import own from '@/records/approval/approval.module.css';
import { ProposedChanges } from '@/records/approval/changes';
import { ButtonLink, Dot, Drawer, ErrorState, SkeletonRows } from '@/ui';
import { ApprovalActions } from './approval-actions';
import css from './approvals.module.css';
import { STATE_HUES, TASK_HUES, useRequestTitle } from './words';

/** One request: what it would do, how far it is, and what can be done about it. */
export function ApprovalDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation('approvals');
  const title = useRequestTitle();
  const { data, error, refetch } = useQuery(approvalQuery(id));
  return (
    <Drawer opened onClose={onClose} size={560} title={data === undefined ? t('approvals:one') : title(data)}>
      {data !== undefined && <Details request={data} />}
      {data === undefined && error === null && <SkeletonRows rows={8} />}
      {data === undefined && error !== null && <ErrorState compact error={error} onRetry={() => refetch()} />}
    </Drawer>
  );
}

function Details({ request }: { request: Approval }) {
  const { t } = useTranslation('approvals');
  const fmt = useFormat();
  const language = useLanguage();
  return (
    <div className={css.detail}>
      <div className={css.who}>
        <Dot color={STATE_HUES[request.state]}>{t(`approvals:state.${request.state}`)}</Dot>
        <span>{request.name}</span>
        <span className="muted">{request.requester.name}</span>
        <time className="muted" dateTime={request.at}>
          {fmt.datetime(request.at)}
        </time>
        {request.record !== null && (
          <ButtonLink to="/o/$object/$id" params={{ object: request.record.object, id: request.record.id }}>
            {t('approvals:openRecord')}
          </ButtonLink>
        )}
        {request.job !== undefined && (
          <ButtonLink to="/jobs" search={{ job: request.job }}>
            {t('approvals:openJob')}
          </ButtonLink>
        )}
      </div>
      {request.comment !== '' && <p>{`\u201c${request.comment}\u201d`}</p>}
      {request.stale && <p className={css.note}>{t('approvals:changedSince')}</p>}
      {request.reason !== undefined && (
        <p className={css.bad} role="alert">
          {request.reason}
        </p>
      )}
      {!request.visible && <p className={css.note}>{t('approvals:outOfSight')}</p>}
      {request.changes.length > 0 && (
        <section aria-label={t('approvals:proposed')}>
          <h3>{t('approvals:proposed')}</h3>
          <ProposedChanges request={request} />
        </section>
      )}
      {request.action === 'delete' && <p>{t('approvals:deletes')}</p>}
      {request.export !== undefined && <ExportFacts request={request} />}
      {request.files !== undefined && request.files.length > 0 && (
        <section aria-label={t('approvals:files')}>
          <h3>{t('approvals:files')}</h3>
          <ul className={css.events}>
            {request.files.map((file) => (
              <li key={file.id}>
                <a href={fileUrl(file.id)} download={file.name}>
                  {file.name}
                </a>
                <span className="muted">{fmt.bytes(file.size)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <ApprovalActions key={`${request.id}/${request.state}/${request.step}`} request={request} />
      <section aria-label={t('approvals:way')}>
        <h3>{t('approvals:way')}</h3>
        <Way request={request} />
      </section>
      <section aria-label={t('approvals:history')}>
        <h3>{t('approvals:history')}</h3>
        <ol className={css.events}>
          {(request.events ?? []).map((event) => (
            <li key={event.id}>
              <span>
                {event.actor.name && <strong>{event.actor.name} </strong>}
                {labelText(event.title, language)}
                {event.for !== null && ` · ${t('approvals:forSomebody', { name: event.for.title })}`}
                {event.people.length > 0 && ` · ${event.people.map((one) => one.title).join(t('approvals:comma'))}`}
              </span>
              <time dateTime={event.at} title={fmt.datetime(event.at)}>
                {fmt.relative(event.at)}
              </time>
              {event.comment !== '' && <span className={css.quote}>{`\u201c${event.comment}\u201d`}</span>}
              {event.reason !== undefined && <span className={css.quote}>{event.reason}</span>}
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}

function ExportFacts({ request }: { request: Approval }) {
  const { t } = useTranslation('approvals');
  const label = useLabel();
  const about = request.export;
  if (about === undefined) return null;
  const which =
    about.count !== undefined && about.count > 0
      ? t('approvals:export.chosen', { count: about.count })
      : label(about.sentence, t('approvals:export.everything'));
  return (
    <section aria-label={t('approvals:proposed')}>
      <h3>{t('approvals:proposed')}</h3>
      <p>{which}</p>
      {about.search !== undefined && about.search !== '' && (
        <p>{t('approvals:export.search', { text: about.search })}</p>
      )}
      <p className="muted">
        {about.fields.length > 0
          ? about.fields.map((one) => label(one)).join(t('approvals:comma'))
          : t('approvals:export.allFields')}
        {` · ${about.format.toUpperCase()}`}
      </p>
    </section>
  );
}

function Way({ request }: { request: Approval }) {
  const { t } = useTranslation('approvals');
  const fmt = useFormat();
  return (
    <ol className={own.way}>
      {(request.steps ?? []).map((step, at) => (
        <li key={at} data-state={step.state}>
          <div className={own.stepHead}>
            <span>{step.name}</span>
            <span className={own.people}>{t(`approvals:mode.${step.mode}`)}</span>
          </div>
          <div className={css.tasks}>
            {step.tasks.map((task) => (
              <div key={task.id} className={css.task}>
                <span>{task.person.title || task.person.id}</span>
                <Dot color={TASK_HUES[task.state]}>
                  {t(task.auto ? 'approvals:task.auto' : `approvals:task.${task.state}`)}
                </Dot>
                {task.extra && <span className="muted">{t('approvals:task.extra')}</span>}
                {task.by !== null && <span className="muted">{t('approvals:task.by', { name: task.by.title })}</span>}
                {task.deputy !== null && (
                  <span className="muted">{t('approvals:task.deputy', { name: task.deputy.title })}</span>
                )}
                {task.decided_at !== null && <span className="muted">{fmt.relative(task.decided_at)}</span>}
                {task.decided_at === null && task.due_at !== null && task.state === 'pending' && (
                  <span className="muted">{t('approvals:due', { when: fmt.relative(task.due_at) })}</span>
                )}
                {task.comment !== '' && <span className={css.quote}>{`\u201c${task.comment}\u201d`}</span>}
              </div>
            ))}
          </div>
        </li>
      ))}
    </ol>
  );
}
