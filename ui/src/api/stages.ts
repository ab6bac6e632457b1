import { queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { Condition } from './conditions';
import type { Actor, Ref } from './types';

export const STAGE_KINDS = ['open', 'won', 'lost'] as const;
export type StageKind = (typeof STAGE_KINDS)[number];
export const STAGE_ACTS = ['set', 'task', 'notify'] as const;
export type StageActKind = (typeof STAGE_ACTS)[number];

export interface StageAct {
  kind: StageActKind;
  field?: string;
  value?: unknown;
  text?: string;
  days?: number;
  user?: string;
}
export interface Stage {
  key: string;
  kind: StageKind;
  probability: number;
  days: number;
  to?: string[];
  fields?: string[];
  where?: Condition;
  message?: string;
  task?: boolean;
  file?: boolean;
  entry?: StageAct[];
  exit?: StageAct[];
  hours?: number;
  next?: string;
}
export interface StageSpec {
  field: string;
  stages: Stage[];
}
export interface StageProcess {
  object: string;
  version: number;
  spec: StageSpec;
}
export interface StageStay {
  stage: string;
  entered_at: string;
  left_at: string | null;
  actor: Actor | null;
  due_at: string | null;
}
export interface RecordStages {
  process: StageProcess | null;
  stays: StageStay[];
}
export interface StageFigures {
  stage: string;
  now: number;
  entered: number;
  still: number;
  /** Where those that left went; "" for no stage. */
  ways: { to: string; count: number }[];
  advanced: number;
  lost: number;
  ended: number;
  median_seconds: number;
  stuck: number;
}
export type StageFigure = 'entered' | 'still' | 'advanced' | 'lost' | 'way' | 'stuck';
/** The records behind one figure of a report. */
export interface BehindFigure {
  stage: string;
  figure: StageFigure;
  /** Of a way: where to. */
  to?: string;
  count: number;
}
export interface StagePassages {
  items: { record: Ref; entered_at: string; left_at: string | null; next?: string }[];
  total: number;
}
export interface StageReport {
  process: StageProcess;
  from: string;
  to: string;
  partial: boolean;
  stages: StageFigures[];
}

export const stageReportQuery = (object: string, days: number) =>
  queryOptions({
    queryKey: ['stages', 'report', object, days],
    queryFn: ({ signal }) => api.get<StageReport>(`/stages/${object}/report`, { query: { days }, signal }),
    retry: false,
  });
export const PASSAGES = 50;
export const stagePassagesQuery = (report: StageReport, behind: BehindFigure, offset: number) =>
  queryOptions({
    queryKey: ['stages', 'passages', report.process.object, report.from, report.to, behind, offset],
    queryFn: ({ signal }) =>
      api.get<StagePassages>(`/stages/${report.process.object}/records`, {
        query: {
          stage: behind.stage,
          figure: behind.figure,
          to: behind.to,
          from: report.from,
          until: report.to,
          offset,
          limit: PASSAGES,
        },
        signal,
      }),
    placeholderData: (old) => old,
    retry: false,
  });
export const saveStages = (object: string, version: number, spec: StageSpec) =>
  api.patch<StageProcess>(`/stages/${object}`, { version, spec });
export const deleteStages = (object: string, version: number) =>
  api.delete(`/stages/${object}`, { query: { version } });
