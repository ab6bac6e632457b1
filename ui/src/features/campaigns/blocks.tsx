import {
  IconArrowDown,
  IconArrowUp,
  IconClick,
  IconColumns2,
  IconHeading,
  IconLetterT,
  IconMinus,
  IconPackage,
  IconPhoto,
  IconTicket,
  IconTrash,
} from '@tabler/icons-react';
import type { Block, BlockKind } from '@/api';
import { useTranslation } from '@/i18n';
import { Button, IconButton, NumberInput, Textarea, TextInput } from '@/ui';
import css from './campaigns.module.css';

const ICONS = {
  heading: IconHeading,
  text: IconLetterT,
  button: IconClick,
  image: IconPhoto,
  divider: IconMinus,
  columns: IconColumns2,
  products: IconPackage,
  coupon: IconTicket,
} as const;
const KINDS = Object.keys(ICONS) as (keyof typeof ICONS)[];

function fresh(kind: BlockKind): Block {
  if (kind === 'products') return { kind, count: 3 };
  if (kind === 'columns') return { kind, left: [{ kind: 'text', text: '' }], right: [{ kind: 'text', text: '' }] };
  return { kind };
}

interface ListProps {
  /** Where the list stands, as findings name it: documents.en.blocks. */
  at: string;
  blocks: readonly Block[];
  onChange: (blocks: Block[]) => void;
  errorAt: (place: string) => string | undefined;
  disabled: boolean;
  inner?: boolean;
}
/** The blocks of a mail, one below the other. */
export function Blocks({ at, blocks, onChange, errorAt, disabled, inner }: ListProps) {
  const { t } = useTranslation('campaigns');
  const swap = (from: number, to: number) => {
    const next = [...blocks];
    const one = next[from];
    const other = next[to];
    if (one === undefined || other === undefined) return;
    next[from] = other;
    next[to] = one;
    onChange(next);
  };
  return (
    <div className={css.form}>
      {blocks.map((block, index) => {
        const place = `${at}.${index}`;
        const name = t('campaigns:block.named', { kind: t(`campaigns:block.${block.kind}`), number: index + 1 });
        return (
          <section key={index} className={css.block} aria-label={name}>
            <div className={css.blockHead}>
              <span>{t(`campaigns:block.${block.kind}`)}</span>
              {!disabled && (
                <>
                  <IconButton
                    label={t('campaigns:block.up', { name })}
                    icon={<IconArrowUp size={15} />}
                    disabled={index === 0}
                    onClick={() => swap(index, index - 1)}
                  />
                  <IconButton
                    label={t('campaigns:block.down', { name })}
                    icon={<IconArrowDown size={15} />}
                    disabled={index === blocks.length - 1}
                    onClick={() => swap(index, index + 1)}
                  />
                  <IconButton
                    label={t('campaigns:block.drop', { name })}
                    icon={<IconTrash size={15} />}
                    onClick={() => onChange(blocks.filter((_, each) => each !== index))}
                  />
                </>
              )}
            </div>
            <BlockForm
              at={place}
              block={block}
              disabled={disabled}
              errorAt={errorAt}
              onChange={(change) =>
                onChange(blocks.map((each, own) => (own === index ? { ...each, ...change } : each)))
              }
            />
          </section>
        );
      })}
      {!disabled && (
        <div className={css.adders}>
          {KINDS.filter((kind) => inner !== true || kind !== 'columns').map((kind) => {
            const Sign = ICONS[kind];
            return (
              <Button
                key={kind}
                kind="subtle"
                icon={<Sign size={15} />}
                onClick={() => onChange([...blocks, fresh(kind)])}
                aria-label={t('campaigns:block.add', { kind: t(`campaigns:block.${kind}`) })}
              >
                {t(`campaigns:block.${kind}`)}
              </Button>
            );
          })}
        </div>
      )}
    </div>
  );
}

interface FormProps {
  at: string;
  block: Block;
  onChange: (change: Partial<Block>) => void;
  errorAt: (place: string) => string | undefined;
  disabled: boolean;
}
function BlockForm({ at, block, onChange, errorAt, disabled }: FormProps) {
  const { t } = useTranslation('campaigns');
  const error = errorAt(at);
  const words = (
    <TextInput
      label={t(block.kind === 'image' ? 'campaigns:block.alt' : 'campaigns:block.words')}
      disabled={disabled}
      value={block.text ?? ''}
      onChange={(text) => onChange({ text })}
      error={block.kind === 'heading' ? error : undefined}
    />
  );
  const address = (
    <TextInput
      label={t('campaigns:block.url')}
      placeholder="https://"
      disabled={disabled}
      value={block.url ?? ''}
      onChange={(url) => onChange({ url })}
      error={error}
    />
  );
  switch (block.kind) {
    case 'heading':
      return words;
    case 'text':
      return (
        <Textarea
          label={t('campaigns:block.words')}
          description={t('campaigns:block.textHelp', { place: '{{ customer.name }}' })}
          disabled={disabled}
          value={block.text ?? ''}
          onChange={(text) => onChange({ text })}
          error={error}
        />
      );
    case 'button':
      return (
        <div className={css.line}>
          {words}
          {address}
        </div>
      );
    case 'image':
      return (
        <>
          <TextInput
            label={t('campaigns:block.picture')}
            placeholder="https://"
            disabled={disabled}
            value={block.image ?? ''}
            onChange={(image) => onChange({ image })}
            error={error}
          />
          <div className={css.line}>
            {words}
            <TextInput
              label={t('campaigns:block.pictureLink')}
              disabled={disabled}
              value={block.url ?? ''}
              onChange={(url) => onChange({ url })}
            />
          </div>
        </>
      );
    case 'products':
      return (
        <div className={css.line}>
          <NumberInput
            label={t('campaigns:block.count')}
            description={t('campaigns:block.countHelp')}
            min={1}
            max={8}
            disabled={disabled}
            value={block.count ?? 3}
            onChange={(count) => onChange({ count: count ?? 1 })}
          />
          {address}
        </div>
      );
    case 'coupon':
      return (
        <TextInput
          label={t('campaigns:block.couponWords')}
          description={t('campaigns:block.couponHelp')}
          disabled={disabled}
          value={block.text ?? ''}
          onChange={(text) => onChange({ text })}
          error={error}
        />
      );
    case 'columns':
      return (
        <div className={css.columns}>
          {(['left', 'right'] as const).map((side) => (
            <Blocks
              key={side}
              inner
              at={`${at}.${side}`}
              blocks={block[side] ?? []}
              disabled={disabled}
              errorAt={errorAt}
              onChange={(list) => onChange({ [side]: list })}
            />
          ))}
        </div>
      );
    default:
      return null;
  }
}
