/** Something findable by its words: the label, its pinyin ("ke hu") and extra keywords. */
export interface Words {
  label: string;
  /** Syllables separated by spaces; initials are derived ("ke hu" is also found by "kh"). */
  pinyin?: string;
  keywords?: string;
}

/** How well `query` matches: 0 is no match, higher is better. Case and spaces do not count. */
export function matchScore(query: string, words: Words): number {
  const wanted = query.trim().toLowerCase().replace(/\s+/g, '');
  if (wanted === '') return 1;
  const label = words.label.toLowerCase();
  if (label === wanted) return 100;
  if (label.startsWith(wanted)) return 80;
  const syllables = (words.pinyin ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const initials = syllables.map((syllable) => syllable.charAt(0)).join('');
  const whole = syllables.join('');
  if (initials !== '' && initials === wanted) return 75;
  if (whole.startsWith(wanted) && whole !== '') return 70;
  if (initials !== '' && initials.startsWith(wanted)) return 65;
  const latin = label
    .split(/[\s\-/]+/)
    .map((word) => word.charAt(0))
    .join('');
  if (wanted.length > 1 && latin.startsWith(wanted)) return 60;
  if (label.replace(/\s+/g, '').includes(wanted)) return 50;
  if ((words.keywords ?? '').toLowerCase().includes(wanted)) return 30;
  return 0;
}
