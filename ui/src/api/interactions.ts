import { queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { Ref } from './types';

/** Contents together: of a platform, a kind or a week. */
export interface InteractionGroup {
  key: string;
  contents: number;
  seen: number;
  interactions: number;
  liked: number;
  commented: number;
  shared: number;
  saved: number;
  watched: number;
}
/** A content with what was done with it. */
export interface ContentFigures {
  record: Ref;
  external_id: string;
  platform: string;
  kind: string;
  reach: number;
  viewers: number;
  seen: number;
  people: number;
  viewed: number;
  interactions: number;
  liked: number;
  commented: number;
  shared: number;
  saved: number;
  watched: number;
}
export interface OfflineDeed {
  name: string;
  count: number;
  people: number;
  rating: number | null;
}
export interface InteractionOverview {
  all: InteractionGroup;
  platforms: InteractionGroup[];
  kinds: InteractionGroup[];
  weeks: InteractionGroup[];
  contents: ContentFigures[];
  deeds: OfflineDeed[];
}
export interface InteractionAsk {
  from: string;
  to: string;
  platform: string;
  kind: string;
  limit: number;
}

/** Names of the events that are interactions with content. */
export const INTERACTIONS = [
  'Content Liked',
  'Content Commented',
  'Content Shared',
  'Content Saved',
  'Live Stream Watched',
] as const;

export const interactionsQuery = (ask: InteractionAsk) =>
  queryOptions({
    queryKey: ['interactions', ask],
    queryFn: ({ signal }) =>
      api.get<InteractionOverview>(
        `/interactions?${new URLSearchParams({ ...ask, limit: String(ask.limit) }).toString()}`,
        { signal },
      ),
    staleTime: 30_000,
    placeholderData: (before) => before,
  });

export const contentFiguresQuery = (id: string) =>
  queryOptions({
    queryKey: ['interactions', 'content', id],
    queryFn: ({ signal }) => api.get<ContentFigures>(`/interactions/contents/${id}`, { signal }),
    staleTime: 30_000,
  });
