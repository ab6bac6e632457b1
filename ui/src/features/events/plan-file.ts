import { type EventPlan, PLAN_ACTS, type PlanAct, type PlannedEvent } from '@/api';

/** The plan in a file; null where it holds none. What is wrong inside it the server says when it is saved. */
export function readPlan(text: string): Pick<EventPlan, 'unplanned' | 'events'> | null {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof found !== 'object' || found === null) return null;
  const { unplanned, events } = found as { unplanned?: unknown; events?: unknown };
  if (!Array.isArray(events)) return null;
  const whole = events.every(
    (each: unknown) => typeof each === 'object' && each !== null && typeof (each as PlannedEvent).name === 'string',
  );
  if (!whole) return null;
  return {
    unplanned: PLAN_ACTS.find((act) => act === unplanned) ?? ('flag' satisfies PlanAct),
    events: events as PlannedEvent[],
  };
}
