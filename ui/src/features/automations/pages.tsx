import { useParams, useSearch } from '@tanstack/react-router';
import { AutomationEditPage, AutomationNewPage } from './automation-edit';
import { AutomationPage } from './automation-page';

export { AutomationsPage } from './automations-page';

/** One rule: looked at, changed, or made. */
export function AutomationRoute() {
  const { id } = useParams({ strict: false });
  const { edit } = useSearch({ strict: false }) as { edit?: boolean };
  if (id === 'new') return <AutomationNewPage />;
  return edit === true ? <AutomationEditPage /> : <AutomationPage />;
}
