import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, isApiError, type Segment, useSaveSegment } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useLeaveGuard } from '@/shell/leave-guard';
import { BackLink, Button, ButtonLink, Page, toast } from '@/ui';
import { VersionChoice } from '@/ui/version-choice';
import { SegmentBuilder } from './builder';
import { draftOf, sameDraft, useDraft } from './draft';

/** The builder over a segment that exists. Its version is the one that was opened; a newer one asks. */
export function EditSegment({ segment }: { segment: Segment }) {
  const { t } = useTranslation(['segments', 'common']);
  const label = useLabel();
  const navigate = useNavigate();
  const [base, setBase] = useState(segment);
  const [undo, dispatch] = useDraft(draftOf(segment));
  const [tried, setTried] = useState(false);
  const [complete, setComplete] = useState(true);
  const [theirs, setTheirs] = useState<Segment | null>(null);
  const save = useSaveSegment();
  const draft = undo.now;
  const dirty = !sameDraft(draft, draftOf(base));
  const leave = useLeaveGuard(dirty, {
    title: t('segments:leave.title'),
    text: t('segments:leave.text'),
    confirm: t('segments:leave.confirm'),
  });
  const done = () => navigate({ to: '/segments/$key', params: { key: segment.key }, search: {} });
  const submit = (version = base.version) => {
    setTried(true);
    const { where } = draft;
    if (draft.label.trim() === '' || where === null || !complete) return;
    save.mutate(
      {
        key: segment.key,
        version,
        segment: { label: draft.label.trim(), description: draft.description, folder: draft.folder, where },
      },
      {
        onSuccess: (saved) => {
          leave();
          toast.ok(t('segments:saved', { name: (saved as Segment).label }));
          done();
        },
        onError: async (error) => {
          if (isApiError(error, 412)) setTheirs(await api.get<Segment>(`/segments/${segment.key}`));
          else toast.error(t('common:failed.save'), { detail: error.message });
        },
      },
    );
  };
  return (
    <Page
      title={t('segments:editTitle', { name: segment.label })}
      back={<BackLink to="/segments/$key" params={{ key: segment.key }} search={{}} label={t('segments:backToOne')} />}
      actions={
        <>
          <ButtonLink to="/segments/$key" params={{ key: segment.key }} search={{}}>
            {t('common:cancel')}
          </ButtonLink>
          <Button kind="primary" loading={save.isPending} disabled={!dirty} onClick={() => submit()}>
            {t('segments:save')}
          </Button>
        </>
      }
    >
      <SegmentBuilder
        undo={undo}
        dispatch={dispatch}
        tried={tried}
        onComplete={setComplete}
        error={isApiError(save.error, 412) ? null : save.error}
        existing={segment}
      />
      {theirs !== null && (
        <VersionChoice
          opened
          onClose={() => setTheirs(null)}
          title={t('segments:conflict.title')}
          text={t('segments:conflict.text')}
          theirs={{
            label: t('segments:conflict.theirs'),
            content: (
              <>
                <strong>{theirs.label}</strong>
                <p className="muted">{label(theirs.sentence)}</p>
              </>
            ),
            choose: t('segments:conflict.takeTheirs'),
            onChoose: () => {
              setBase(theirs);
              dispatch({ type: 'load', draft: draftOf(theirs) });
              setTheirs(null);
            },
          }}
          mine={{
            label: t('segments:conflict.mine'),
            content: (
              <>
                <strong>{draft.label}</strong>
                <p className="muted">{t('segments:conflict.mineText')}</p>
              </>
            ),
            choose: t('segments:conflict.keepMine'),
            onChoose: () => {
              setTheirs(null);
              submit(theirs.version);
            },
          }}
        />
      )}
    </Page>
  );
}
