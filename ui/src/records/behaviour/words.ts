import { useTranslation } from '@/i18n';

const CHANNELS = ['direct', 'search', 'social', 'ads', 'email', 'referral', 'campaign', 'internal'] as const;
type Channel = (typeof CHANNELS)[number];
const isChannel = (key: string): key is Channel => (CHANNELS as readonly string[]).includes(key);

const DEVICES = ['desktop', 'mobile', 'tablet', 'tv', 'app'] as const;
type Device = (typeof DEVICES)[number];
const isDevice = (key: string): key is Device => (DEVICES as readonly string[]).includes(key);

/** What the way is called by which somebody came; one that is not known is called by its key. */
export function useChannel(): (key: string) => string {
  const { t } = useTranslation('profile');
  return (key) => (isChannel(key) ? t(`profile:behaved.channel.${key}`) : key);
}

export function useDevice(): (key: string) => string {
  const { t } = useTranslation('profile');
  return (key) => (isDevice(key) ? t(`profile:behaved.device.${key}`) : key);
}
