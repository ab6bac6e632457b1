import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import {
  approvalSent,
  errorText,
  filesQuery,
  type Proposal,
  previewApproval,
  refreshApprovals,
  submitApproval,
  wantedApproval,
} from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useObject } from '@/metadata';
import { Button, Modal, MultiSelect, SkeletonRows, Textarea, toast } from '@/ui';
import css from './approval.module.css';

/** Something was held back since it needs approval: which way it would go, and whether to send it. */
export function RequestDialog({ proposal }: { proposal: Proposal }) {
  const { t } = useTranslation(['approvals', 'common']);
  const label = useLabel();
  const client = useQueryClient();
  const navigate = useNavigate();
  const object = useObject(proposal.object);
  const [comment, setComment] = useState('');
  const [chosen, setChosen] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const way = useQuery({
    queryKey: ['approval-preview', proposal],
    queryFn: () => previewApproval(proposal),
    retry: false,
    staleTime: 0,
    gcTime: 0,
  });
  const { record } = proposal;
  const files = useQuery({ ...filesQuery(proposal.object, record ?? ''), enabled: record !== undefined }).data?.items;
  const close = () => wantedApproval.set(null);
  const send = async () => {
    setBusy(true);
    setProblem('');
    try {
      const made = await submitApproval(proposal, comment.trim(), chosen);
      await refreshApprovals(client, made);
      approvalSent.set(proposal);
      close();
      toast.ok(t(made.state === 'applied' ? 'approvals:sent.applied' : 'approvals:sent.title'), {
        ...(made.waiting.length > 0 && {
          detail: t('approvals:sent.waiting', {
            names: made.waiting.map((one) => one.title).join(t('approvals:comma')),
          }),
        }),
        action: {
          label: t('approvals:sent.show'),
          run: () => void navigate({ to: '/approvals', search: { tab: 'mine', id: made.id } }),
        },
      });
    } catch (error) {
      setProblem(errorText(error));
      setBusy(false);
    }
  };
  const what = t(`approvals:doing.${proposal.action}`, { name: label(object?.label, proposal.object) });
  return (
    <Modal
      opened
      onClose={close}
      title={t('approvals:ask.title', { what })}
      size={520}
      footer={
        <>
          <Button onClick={close}>{t('common:cancel')}</Button>
          <Button kind="primary" loading={busy} disabled={way.data === undefined} onClick={() => void send()}>
            {t('approvals:ask.send')}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        <p className="muted">{t('approvals:ask.text')}</p>
        {way.isPending && <SkeletonRows rows={3} />}
        {way.isError && (
          <div className={css.problem} role="alert">
            {errorText(way.error)}
          </div>
        )}
        {way.data !== undefined && (
          <section aria-label={way.data.name}>
            <strong>{way.data.name}</strong>
            <ol className={css.way}>
              {way.data.steps.map((step, at) => (
                <li key={at} data-state="ahead">
                  <div className={css.stepHead}>
                    <span>{step.name}</span>
                    {step.people.length > 1 && <span className={css.people}>{t(`approvals:mode.${step.mode}`)}</span>}
                  </div>
                  <div className={css.people}>
                    {step.people.length > 0
                      ? step.people.map((one) => one.title).join(t('approvals:comma'))
                      : t(`approvals:nobodyThen.${step.nobody}`)}
                  </div>
                </li>
              ))}
              {way.data.steps.length === 0 && <li>{t('approvals:ask.noSteps')}</li>}
            </ol>
          </section>
        )}
        <Textarea label={t('approvals:ask.reason')} value={comment} onChange={setComment} minRows={2} />
        {files !== undefined && files.length > 0 && proposal.order === undefined && (
          <MultiSelect
            label={t('approvals:ask.files')}
            description={t('approvals:ask.filesHelp')}
            searchable
            options={files.map((file) => ({ value: file.id, label: file.name }))}
            value={chosen}
            onChange={setChosen}
          />
        )}
        {problem !== '' && (
          <div className={css.problem} role="alert">
            {problem}
          </div>
        )}
      </div>
    </Modal>
  );
}
