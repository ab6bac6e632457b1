import { type Icon, IconCalendarEvent, IconCheckbox, IconMapPin, IconNote, IconPhone } from '@tabler/icons-react';
import type { Activity } from '@/api';

export const ACTIVITY_SIGNS: Record<Activity, Icon> = {
  task: IconCheckbox,
  call: IconPhone,
  meeting: IconCalendarEvent,
  visit: IconMapPin,
  note: IconNote,
};
