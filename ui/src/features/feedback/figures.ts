import type { FigureGroup, Figures, Measure } from '@/api';
import { groupKey } from '@/records/figures';

export const FEELINGS = ['positive', 'neutral', 'negative'] as const;
export type Feeling = (typeof FEELINGS)[number];

/** How many praise, complain, and neither. */
export type Mood = Record<Feeling, number>;
export const NO_MOOD: Mood = { positive: 0, neutral: 0, negative: 0 };
export const sum = (mood: Mood): number => mood.positive + mood.neutral + mood.negative;
/** Praise among what says something; null where nothing does. */
export const praise = (mood: Mood): number | null => {
  const clear = mood.positive + mood.negative;
  return clear === 0 ? null : mood.positive / clear;
};

const feelingOf = (value: unknown): Feeling => {
  const key = groupKey(value);
  return key === 'positive' || key === 'negative' ? key : 'neutral'; // a text that says nothing is not clear
};

/** Counts by feeling under each value of the first group. */
export function moods(figures: Figures): { value: unknown; key: string; mood: Mood }[] {
  const found = new Map<string, { value: unknown; key: string; mood: Mood }>();
  for (const group of figures.groups) {
    const value = group.values[0];
    const key = groupKey(value);
    const row = found.get(key) ?? { value, key, mood: { ...NO_MOOD } };
    row.mood[feelingOf(group.values[1])] += group.count;
    found.set(key, row);
  }
  return [...found.values()];
}

/** Counts by feeling where that is the only group. */
export function moodOf(figures: Figures): Mood {
  const mood = { ...NO_MOOD };
  for (const group of figures.groups) mood[feelingOf(group.values[0])] += group.count;
  return mood;
}

export interface Topic {
  key: string;
  mentions: number;
  complaints: number;
}

/** How often each topic is named, and how often complained of. */
export const topicMeasures = (topics: readonly string[]): Measure[] =>
  (['topics', 'complaints'] as const).flatMap((field) =>
    topics.map((value): Measure => ({ func: 'has', field, value })),
  );
export function topicsOf(topics: readonly string[], measures: FigureGroup['measures']): Topic[] {
  return topics.map((key, at) => ({
    key,
    mentions: Number(measures[at] ?? 0),
    complaints: Number(measures[topics.length + at] ?? 0),
  }));
}
