import { useTranslation } from '@/i18n';

const KNOWN = ['user_id', 'email', 'phone', 'unionid', 'openid', 'loyalty_card', 'anonymous_id', 'device'] as const;
type Known = (typeof KNOWN)[number];
const isKnown = (key: string): key is Known => (KNOWN as readonly string[]).includes(key);

/** What a kind of identifier is called; those of the workspace are called by their key. */
export function useNamespaceName(): (key: string) => string {
  const { t } = useTranslation('identities');
  return (key) => (isKnown(key) ? t(`identities:namespace.${key}`) : key);
}

/** The last signs of an id tell profiles apart; the whole of it stands in a title. */
export const short = (id: string): string => id.slice(-6).toUpperCase();
