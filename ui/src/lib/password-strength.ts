export const MIN_PASSWORD = 8;

/** 0 is too short; 1 to 4 rise with length and variety. A hint for people, no rule: the server decides. */
export function passwordStrength(password: string): 0 | 1 | 2 | 3 | 4 {
  if (password.length < MIN_PASSWORD) return 0;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^\da-zA-Z]/].filter((kind) => kind.test(password)).length;
  const distinct = new Set(password).size;
  let score = 1;
  if (password.length >= 12) score++;
  if (password.length >= 16) score++;
  if (kinds >= 3) score++;
  if (distinct < 5) score = 1;
  return Math.min(4, score) as 1 | 2 | 3 | 4;
}
