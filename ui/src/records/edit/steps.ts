/** The last changes of a list, the newest last, for Ctrl+Z. Each is taken back once, by the key or by its toast. */
interface Step {
  object: string;
  run: () => void;
}
const MOST = 50;
const steps: Step[] = [];

/** Keeps how to take a change back; answers the function that does it and forgets it. */
export function rememberStep(object: string, run: () => void): () => void {
  const step = { object, run };
  steps.push(step);
  if (steps.length > MOST) steps.shift();
  return () => {
    const at = steps.indexOf(step);
    if (at < 0) return;
    steps.splice(at, 1);
    run();
  };
}

/** Takes the newest change of an object back; false when there is none. */
export function takeBack(object: string): boolean {
  const at = steps.findLastIndex((step) => step.object === object);
  const [step] = at < 0 ? [] : steps.splice(at, 1);
  step?.run();
  return step !== undefined;
}
