import {
  IconArrowDown,
  IconArrowUp,
  IconBell,
  IconChevronDown,
  IconChevronRight,
  IconCirclePlus,
  IconCopy,
  IconGitBranch,
  IconHandStop,
  IconHourglass,
  IconMail,
  IconPencil,
  IconPlus,
  IconTag,
  IconTrash,
  IconUserCog,
  IconWorldUpload,
} from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { type Definition, STEP_KINDS, type Step, type StepKind } from '@/api';
import { useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { IconButton, Menu } from '@/ui';
import css from './automations.module.css';
import { copyStep, type Fault, faultsAt, newStep } from './draft';
import { StepForm } from './step-form';
import { useStepText } from './step-text';

const ICONS: { [K in StepKind]: ReactNode } = {
  update: <IconPencil size={16} />,
  create: <IconCirclePlus size={16} />,
  assign: <IconUserCog size={16} />,
  tag: <IconTag size={16} />,
  notify: <IconBell size={16} />,
  email: <IconMail size={16} />,
  webhook: <IconWorldUpload size={16} />,
  wait: <IconHourglass size={16} />,
  branch: <IconGitBranch size={16} />,
  stop: <IconHandStop size={16} />,
};

interface FlowProps {
  definition: Definition;
  steps: readonly Step[];
  /** Where the list stands in the definition, as faults name it. */
  at: string;
  prefix: string;
  faults: readonly Fault[];
  tried: boolean;
  mayCall: boolean;
  mayMail: boolean;
  runAs: string;
  onChange: (steps: Step[]) => void;
}

/** The steps from top to bottom; between any two another can be put. */
export function Flow({ definition, steps, at, prefix, faults, tried, mayCall, mayMail, runAs, onChange }: FlowProps) {
  const [opened, setOpened] = useState<string | null>(null);
  const put = (index: number, step: Step) => {
    onChange([...steps.slice(0, index), step, ...steps.slice(index)]);
    setOpened(step.id);
  };
  const move = (index: number, by: -1 | 1) => {
    const next = [...steps];
    const [step] = next.splice(index, 1);
    if (step !== undefined) next.splice(index + by, 0, step);
    onChange(next);
  };
  return (
    <ol className={css.flow}>
      {steps.map((step, index) => (
        <li key={step.id} className={css.item}>
          <AddStep mayCall={mayCall} mayMail={mayMail} onAdd={(kind) => put(index, newStep(kind))} />
          <StepCard
            definition={definition}
            step={step}
            number={`${prefix}${index + 1}`}
            at={`${at}.${index}`}
            open={opened === step.id}
            faults={faultsAt(faults, `${at}.${index}`)}
            all={faults}
            tried={tried}
            mayCall={mayCall}
            mayMail={mayMail}
            runAs={runAs}
            first={index === 0}
            last={index === steps.length - 1}
            onToggle={() => setOpened(opened === step.id ? null : step.id)}
            onChange={(next) => onChange(steps.map((each) => (each.id === step.id ? next : each)))}
            onMove={(by) => move(index, by)}
            onCopy={() => put(index + 1, copyStep(step))}
            onRemove={() => onChange(steps.filter((each) => each.id !== step.id))}
          />
        </li>
      ))}
      <li className={css.item}>
        <AddStep mayCall={mayCall} mayMail={mayMail} last onAdd={(kind) => put(steps.length, newStep(kind))} />
      </li>
    </ol>
  );
}

interface AddProps {
  mayCall: boolean;
  mayMail: boolean;
  last?: boolean;
  onAdd: (kind: StepKind) => void;
}

function AddStep({ mayCall, mayMail, last, onAdd }: AddProps) {
  const { t } = useTranslation('automations');
  return (
    <div className={cx(css.add, last === true && css.addLast)}>
      <Menu
        target={<IconButton label={t('automations:step.insert')} icon={<IconPlus size={15} />} tooltip={false} />}
        entries={STEP_KINDS.filter((kind) => (kind !== 'webhook' || mayCall) && (kind !== 'email' || mayMail)).map(
          (kind) => ({
            label: t(`automations:kind.${kind}`),
            icon: ICONS[kind],
            onSelect: () => onAdd(kind),
          }),
        )}
      />
      {last === true && <span className="muted">{t('automations:step.insert')}</span>}
    </div>
  );
}

interface CardProps {
  definition: Definition;
  step: Step;
  number: string;
  at: string;
  open: boolean;
  faults: readonly Fault[];
  all: readonly Fault[];
  tried: boolean;
  mayCall: boolean;
  mayMail: boolean;
  runAs: string;
  first: boolean;
  last: boolean;
  onToggle: () => void;
  onChange: (step: Step) => void;
  onMove: (by: -1 | 1) => void;
  onCopy: () => void;
  onRemove: () => void;
}

function StepCard(props: CardProps) {
  const { definition, step, number, open, faults, tried, onChange } = props;
  const { t } = useTranslation('automations');
  const textOf = useStepText(definition);
  const own = faults.filter(({ location }) => !/^(then|else)\b/.test(location));
  // What stands beside its input while the card is open is not said twice.
  const loose = own.filter(
    ({ location }) => location === '' || location === 'values' || /^(to|fields)\./.test(location),
  );
  const closed = tried ? own : [];
  const shown = open ? loose : closed;
  return (
    <section
      className={cx(css.card, shown.length > 0 && css.wrong)}
      aria-label={t('automations:step.named', { number, kind: t(`automations:kind.${step.kind}`) })}
    >
      <header className={css.cardHead}>
        <button type="button" className={css.cardTitle} aria-expanded={open} onClick={props.onToggle}>
          <span className={css.number}>{number}</span>
          <span className={css.icon}>{ICONS[step.kind]}</span>
          <span className={css.cardWords}>
            <strong>{t(`automations:kind.${step.kind}`)}</strong>
            <span className="muted">{textOf(step)}</span>
          </span>
          {open ? <IconChevronDown size={16} /> : <IconChevronRight size={16} />}
        </button>
        <span className={css.tools}>
          <IconButton
            label={t('automations:step.up')}
            icon={<IconArrowUp size={15} />}
            disabled={props.first}
            onClick={() => props.onMove(-1)}
          />
          <IconButton
            label={t('automations:step.down')}
            icon={<IconArrowDown size={15} />}
            disabled={props.last}
            onClick={() => props.onMove(1)}
          />
          <IconButton label={t('automations:step.copy')} icon={<IconCopy size={15} />} onClick={props.onCopy} />
          <IconButton label={t('automations:step.remove')} icon={<IconTrash size={15} />} onClick={props.onRemove} />
        </span>
      </header>
      {open && (
        <div className={css.cardBody}>
          <StepForm
            definition={definition}
            step={step}
            faults={own}
            tried={tried}
            runAs={props.runAs}
            onChange={onChange}
          />
        </div>
      )}
      {shown.length > 0 && (
        <ul className={css.faults} role="alert">
          {[...new Set(shown.map(({ message }) => message))].map((message) => (
            <li key={message}>{message}</li>
          ))}
        </ul>
      )}
      {step.kind === 'branch' && <Arms {...props} />}
    </section>
  );
}

/** The two ways behind a branch. */
function Arms({ definition, step, number, at, all, tried, mayCall, mayMail, runAs, onChange }: CardProps) {
  const { t } = useTranslation('automations');
  return (
    <div className={css.arms}>
      {(['then', 'else'] as const).map((arm) => (
        <div key={arm} className={css.arm}>
          <div className={css.armName}>{t(`automations:arm.${arm}`)}</div>
          <Flow
            definition={definition}
            steps={step[arm] ?? []}
            at={`${at}.${arm}`}
            prefix={`${number}.${t(`automations:armMark.${arm}`)}`}
            faults={all}
            tried={tried}
            mayCall={mayCall}
            mayMail={mayMail}
            runAs={runAs}
            onChange={(steps) => onChange({ ...step, [arm]: steps })}
          />
        </div>
      ))}
    </div>
  );
}
