import { IconDownload, IconPlus, IconSettings } from '@tabler/icons-react';
import { useState } from 'react';
import type { Condition } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { HUES } from '@/lib/hue';
import { ConditionBuilder, encodeCondition } from '@/records/conditions';
import {
  Avatar,
  Button,
  Checkbox,
  confirm,
  DatePicker,
  Dot,
  EmptyState,
  ErrorState,
  IconButton,
  Kbd,
  Menu,
  MultiSelect,
  NumberInput,
  Page,
  Panel,
  Pill,
  Progress,
  SegmentedControl,
  Select,
  SkeletonRows,
  Stat,
  Switch,
  Tabs,
  TagsInput,
  TextInput,
  toast,
} from '@/ui';

const START: Condition = {
  all: [
    {
      all: [
        { trait: 'spend_total', op: '>', value: { amount: '5000', currency: 'CNY' } },
        { record: 'order', op: 'none', within: { days: 30 } },
        { field: 'region', op: 'in', value: ['310000', '330100'] },
        {
          any: [
            { field: 'email', op: 'is_set' },
            { field: 'created_at', op: 'within_last', value: { days: 30 } },
          ],
        },
      ],
    },
    {
      any: [
        { field: 'member_level', op: 'in', value: ['gold', 'black'] },
        {
          record: 'order',
          aggregate: { sum: 'total' },
          op: '>=',
          value: { amount: '2000', currency: 'CNY' },
          within: { days: [180, 30] },
          where: { all: [{ field: 'channel', op: 'is_set' }] },
        },
        { segment: 'vip', op: 'in' },
      ],
    },
  ],
};

function Controls() {
  const { t } = useTranslation('common');
  const [text, setText] = useState('Guanxi');
  const [choice, setChoice] = useState<string | null>('b');
  const [many, setMany] = useState(['a', 'c']);
  const [tags, setTags] = useState(['vip']);
  const [day, setDay] = useState<string | null>('2026-11-11');
  const [on, setOn] = useState(true);
  const [amount, setAmount] = useState<number | null>(1286.5);
  const options = HUES.slice(0, 4).map((color, at) => ({ value: 'abcd'.charAt(at), label: color, color }));
  return (
    <Panel title="Inputs">
      <div className="stack" style={{ maxWidth: 420 }}>
        <TextInput label="Text" value={text} onChange={setText} />
        <TextInput label="Error" value={text} onChange={setText} error={t('common:failed.title')} />
        <NumberInput label="Number" value={amount} onChange={setAmount} />
        <Select label="Select" options={options} value={choice} onChange={setChoice} clearable />
        <MultiSelect label="MultiSelect" options={options} value={many} onChange={setMany} />
        <TagsInput label="Tags" value={tags} onChange={setTags} />
        <DatePicker label="Date" value={day} onChange={setDay} clearable />
        <div className="row">
          <Checkbox label="Checkbox" checked={on} onChange={setOn} />
          <Switch label="Switch" checked={on} onChange={setOn} />
        </div>
      </div>
    </Panel>
  );
}

function Looks() {
  const fmt = useFormat();
  const [tab, setTab] = useState<'a' | 'b'>('a');
  const [mode, setMode] = useState<'x' | 'y'>('x');
  return (
    <Panel title="Looks" aside={fmt.relative('2026-11-20T10:00:00Z')}>
      <div className="stack">
        <div className="row" style={{ flexWrap: 'wrap' }}>
          <Button
            kind="primary"
            icon={<IconPlus size={15} />}
            onClick={() => toast.ok('Saved', { action: { label: 'Undo', run: () => undefined } })}
          >
            Primary
          </Button>
          <Button onClick={() => toast.error('Not saved', { detail: 'The server said no.' })}>Default</Button>
          <Button kind="subtle">Subtle</Button>
          <Button
            kind="danger"
            onClick={() => confirm({ title: 'Delete?', text: 'Gone for good.', confirm: 'Delete', danger: true })}
          >
            Danger
          </Button>
          <IconButton label="Settings" icon={<IconSettings size={16} />} />
          <Menu
            target={<Button icon={<IconDownload size={15} />}>Menu</Button>}
            entries={[
              { label: 'One', onSelect: () => undefined },
              { divider: true },
              { label: 'Delete', danger: true, onSelect: () => undefined },
            ]}
          />
        </div>
        <div className="row" style={{ flexWrap: 'wrap' }}>
          {HUES.map((hue) => (
            <Pill key={hue} color={hue}>
              {hue}
            </Pill>
          ))}
        </div>
        <div className="row">
          <Dot color="violet">Dot</Dot>
          <Avatar name="Alice" /> <Avatar name="Bob" size={40} /> <Avatar name="Carol" shape="round" />
          <Kbd keys="mod+k" /> <Kbd keys="g c" />
        </div>
        <Tabs
          label="Tabs"
          value={tab}
          onChange={setTab}
          items={[
            { value: 'a', label: 'First', count: 3 },
            { value: 'b', label: 'Second' },
          ]}
        />
        <SegmentedControl
          label="Mode"
          value={mode}
          onChange={setMode}
          options={[
            { value: 'x', label: 'Table' },
            { value: 'y', label: 'Board' },
          ]}
        />
        <Progress label="Progress" value={0.42} />
        <Stat label="Revenue" value={fmt.money({ amount: '3286400', currency: 'CNY' })} />
      </div>
    </Panel>
  );
}

/** Every part on one page, for eyes and screenshots. Development only. */
export function KitPage() {
  const [where, setWhere] = useState<Condition | null>(START);
  const [complete, setComplete] = useState(true);
  return (
    <Page title="Kit">
      <div className="stack" style={{ gap: 20 }}>
        <ConditionBuilder
          object="customer"
          where={where}
          onChange={(next, state) => {
            setWhere(next);
            setComplete(state.complete);
          }}
          allowTraits
          allowRecords
          allowSegments
        />
        <details>
          <summary>JSON {complete ? '' : '(incomplete)'}</summary>
          <pre style={{ overflow: 'auto' }}>{JSON.stringify(where, null, 1)}</pre>
          <code style={{ overflowWrap: 'anywhere' }}>{encodeCondition(where)}</code>
        </details>
        <Looks />
        <Controls />
        <Panel title="States">
          <EmptyState cause="no_match" compact actions={<Button>Clear</Button>} />
          <ErrorState error={new Error('The server took a nap.')} onRetry={() => undefined} compact />
          <SkeletonRows rows={3} />
        </Panel>
      </div>
    </Page>
  );
}
