import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { type Segment, segmentQuery, useSaveSegment } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { decodeCondition } from '@/records/conditions';
import { useLeaveGuard } from '@/shell/leave-guard';
import { BackLink, Button, Closed, Page, SkeletonRows, toast } from '@/ui';
import { SegmentBuilder } from './builder';
import { type Draft, draftOf, emptyDraft, sameDraft, useDraft } from './draft';

function NewSegment({ start }: { start: Draft }) {
  const { t } = useTranslation(['segments', 'common']);
  const navigate = useNavigate();
  const [undo, dispatch] = useDraft(start);
  const [tried, setTried] = useState(false);
  const [complete, setComplete] = useState(true);
  const save = useSaveSegment();
  const draft = undo.now;
  const leave = useLeaveGuard(!sameDraft(draft, emptyDraft()), {
    title: t('segments:leave.title'),
    text: t('segments:leave.text'),
    confirm: t('segments:leave.confirm'),
  });
  const submit = () => {
    setTried(true);
    if (draft.label.trim() === '' || draft.where === null || !complete) return;
    const { label, description, folder, kind, where } = draft;
    save.mutate(
      { segment: { label: label.trim(), description, folder, kind, where } },
      {
        onSuccess: (made) => {
          leave();
          toast.ok(t('segments:saved', { name: (made as Segment).label }));
          navigate({ to: '/segments/$key', params: { key: (made as Segment).key } });
        },
        onError: (error) => toast.error(t('common:failed.save'), { detail: error.message }),
      },
    );
  };
  return (
    <Page
      title={t('segments:new')}
      back={<BackLink to="/segments" label={t('segments:backToList')} />}
      actions={
        <Button kind="primary" loading={save.isPending} onClick={submit}>
          {t('segments:save')}
        </Button>
      }
    >
      <SegmentBuilder undo={undo} dispatch={dispatch} tried={tried} onComplete={setComplete} error={save.error} />
    </Page>
  );
}

/** The copy of a segment begins with all of it but its name. */
function CopiedSegment({ from }: { from: string }) {
  const { t } = useTranslation('segments');
  const { data, isPending } = useQuery(segmentQuery(from));
  if (isPending) return <SkeletonRows />;
  if (data === undefined) return <NewSegment start={emptyDraft()} />;
  return <NewSegment start={{ ...draftOf(data), label: t('segments:copyOf', { name: data.label }) }} />;
}

export function SegmentNewPage() {
  const { where, name, from } = useSearch({ strict: false }) as { where?: string; name?: string; from?: string };
  const can = useCan();
  if (!can('segment.write')) return <Closed cause="no_permission" />;
  if (from !== undefined) return <CopiedSegment key={from} from={from} />;
  return <NewSegment key={`${where}|${name}`} start={emptyDraft(decodeCondition(where), name ?? '')} />;
}
