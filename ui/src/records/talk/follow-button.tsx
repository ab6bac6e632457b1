import { IconStar, IconStarFilled } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { errorText, followQuery, setFollow } from '@/api';
import { useTranslation } from '@/i18n';
import { IconButton, toast } from '@/ui';

/** Whether I want to know what happens to a record. */
export function FollowButton({ object, id }: { object: string; id: string }) {
  const { t } = useTranslation(['work', 'common']);
  const client = useQueryClient();
  const query = followQuery(object, id);
  const { data } = useQuery(query);
  const on = data?.following === true;
  const press = async () => {
    client.setQueryData(query.queryKey, { following: !on });
    try {
      await setFollow(object, id, !on);
      toast.ok(t(on ? 'work:unfollowed' : 'work:followed'));
    } catch (error) {
      client.setQueryData(query.queryKey, { following: on });
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    }
  };
  return (
    <IconButton
      label={t(on ? 'work:unfollow' : 'work:follow')}
      icon={on ? <IconStarFilled size={16} /> : <IconStar size={17} />}
      active={on}
      disabled={data === undefined}
      onClick={() => void press()}
    />
  );
}
