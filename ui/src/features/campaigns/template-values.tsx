import { useQuery } from '@tanstack/react-query';
import { type MessageDocument, offersQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Select, toast } from '@/ui';

interface OfferProps {
  doc: MessageDocument;
  set: (change: MessageDocument) => void;
  error: string | undefined;
  disabled: boolean;
}
/** The offer of which each reader gets a code. */
export function OfferChoice({ doc, set, error, disabled }: OfferProps) {
  const { t } = useTranslation('campaigns');
  const can = useCan();
  const offers = useQuery({ ...offersQuery(), enabled: can('offer.read') }).data?.items ?? [];
  if (offers.length === 0 && doc.offer === undefined) return null;
  return (
    <Select
      label={t('campaigns:block.offer')}
      description={t('campaigns:block.couponHelp')}
      placeholder={t('campaigns:block.noOffer')}
      clearable
      disabled={disabled}
      value={doc.offer ?? null}
      onChange={(next) => {
        const { offer: _, ...rest } = doc;
        set(next === null || next === '' ? rest : { ...rest, offer: next });
      }}
      options={offers
        .filter((one) => one.status !== 'ended' || one.id === doc.offer)
        .map((one) => ({ value: one.id, label: one.name }))}
      error={error}
    />
  );
}

/** What may be said of a customer: what is chosen is copied as a place to be filled in. */
export function FieldPicker({ fields }: { fields: readonly { path: string; label: string }[] }) {
  const { t } = useTranslation('campaigns');
  const copy = async (path: string) => {
    const what = `{{ ${path} | default: "" }}`;
    try {
      await navigator.clipboard.writeText(what);
      toast.ok(t('campaigns:templates.copied', { what }));
    } catch {
      toast.info(what);
    }
  };
  return (
    <Select
      label={t('campaigns:templates.insert')}
      description={t('campaigns:templates.insertHelp')}
      searchable
      value={null}
      onChange={(next) => next !== null && void copy(next)}
      options={fields.map((one) => ({ value: one.path, label: `${one.label} \u00b7 ${one.path}` }))}
    />
  );
}
