import type { Definition, Step } from '@/api';
import type { Fault } from './draft';

export interface StepProps {
  definition: Definition;
  step: Step;
  faults: readonly Fault[];
  tried: boolean;
  /** Whom the rule runs as. */
  runAs: string;
  onChange: (step: Step) => void;
}
