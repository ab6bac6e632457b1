import { useQuery } from '@tanstack/react-query';
import { type Definition, type Mail, type Step, usersQuery } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { findField, findObject, useObjects } from '@/metadata';

/** One line on what a step does, for its card while it is closed. */
export function useStepText(definition: Definition): (step: Step) => string {
  const { t } = useTranslation('automations');
  const label = useLabel();
  const objects = useObjects();
  const users = useQuery(usersQuery()).data?.items ?? [];
  const about = findObject(objects, definition.object);
  const join = (parts: readonly string[]) => parts.filter((part) => part !== '').join(t('automations:comma'));
  const nameOf = (object: typeof about, key: string) => label(findField(object, key)?.label, key);
  const mailTo = (mail: Mail | undefined): string => {
    if (mail?.to === 'person') return users.find(({ id }) => id === mail.person)?.name ?? '';
    if (mail?.to === 'address') return mail.address ?? '';
    const [first = '', second] = (mail?.field ?? '').split('.');
    if (first === '') return '';
    const target = findObject(objects, findField(about, first)?.target);
    return second === undefined ? nameOf(about, first) : `${nameOf(about, first)} › ${nameOf(target, second)}`;
  };
  return (step) => {
    const target = step.on === undefined ? about : findObject(objects, findField(about, step.on)?.target);
    switch (step.kind) {
      case 'update':
        return join((step.values ?? []).map(({ field }) => nameOf(target, field)));
      case 'create': {
        const object = findObject(objects, step.object);
        const title = (step.values ?? []).find(({ text }) => text !== undefined)?.text ?? '';
        return join([label(object?.label, step.object ?? ''), title]);
      }
      case 'assign': {
        const who = (step.people ?? []).map((id) => users.find((user) => user.id === id)?.name ?? '');
        return join([t(`automations:how.${step.how ?? 'person'}`), ...who]);
      }
      case 'tag':
        return join([...(step.add ?? []).map((tag) => `+ ${tag}`), ...(step.remove ?? []).map((tag) => `− ${tag}`)]);
      case 'notify':
        return step.text ?? '';
      case 'email':
        return join([mailTo(step.mail), step.mail?.subject ?? '']);
      case 'webhook':
        return step.url ?? '';
      case 'wait': {
        const wait = step.wait;
        if (wait === undefined) return '';
        if (wait.kind === 'date') return t('automations:wait.text.date', { field: nameOf(about, wait.field ?? '') });
        const span = `${wait.amount ?? 0} ${t(`automations:unit.${wait.unit ?? 'day'}`)}`;
        return t(`automations:wait.text.${wait.kind}`, { span });
      }
      default:
        return '';
    }
  };
}
