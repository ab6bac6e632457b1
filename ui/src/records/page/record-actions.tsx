import { IconChevronDown, IconChevronUp, IconDots } from '@tabler/icons-react';
import { lazy, Suspense } from 'react';
import type { ObjectType, RecordData } from '@/api';
import { useTranslation } from '@/i18n';
import { IconButton, useLateMenu } from '@/ui';
import type { Neighbours } from '../list-context';
import { FollowButton } from '../talk/follow-button';
import type { RecordWork } from './record-work';

const load = () => import('./record-menu').then((module) => ({ default: module.RecordMenu }));
const RecordMenu = lazy(load);

interface Props {
  object: ObjectType;
  record: RecordData;
  work: RecordWork;
  neighbours: Neighbours | null;
  onGo: (id: string, row: number) => void;
}

export function RecordActions({ object, record, work, neighbours, onGo }: Props) {
  const { t } = useTranslation(['records', 'common']);
  const { wanted, trigger } = useLateMenu(load);
  const more = <IconButton label={t('common:more')} icon={<IconDots size={17} />} {...trigger} />;
  return (
    <>
      {neighbours !== null && (
        <>
          <IconButton
            label={t('records:page.previous')}
            icon={<IconChevronUp size={17} />}
            disabled={neighbours.previous === null}
            onClick={() => neighbours.previous && onGo(neighbours.previous.id, neighbours.row - 1)}
          />
          <IconButton
            label={t('records:page.next')}
            icon={<IconChevronDown size={17} />}
            disabled={neighbours.next === null}
            onClick={() => neighbours.next && onGo(neighbours.next.id, neighbours.row + 1)}
          />
        </>
      )}
      <FollowButton object={object.key} id={record.id} />
      {wanted ? (
        <Suspense fallback={more}>
          <RecordMenu object={object} record={record} work={work} />
        </Suspense>
      ) : (
        more
      )}
    </>
  );
}
