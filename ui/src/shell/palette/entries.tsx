import {
  IconFileImport,
  IconFilterPlus,
  IconKeyboard,
  IconLanguage,
  IconLogout,
  IconMoonStars,
  IconPlus,
  IconSettings,
  IconSun,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import { searchQuery, useSignOut } from '@/api';
import { LANGUAGE_NAMES, labelText, setLanguage, useLanguage, useTranslation } from '@/i18n';
import { useDebounced } from '@/lib/hooks';
import { matchScore, type Words } from '@/lib/match';
import { useStore } from '@/lib/store';
import { findObject, useCan, useObjectsIfLoaded } from '@/metadata';
import { setAppearance } from '@/theme/appearance';
import { Avatar, ObjectIcon, useColorScheme } from '@/ui';
import { commandStore } from '../commands';
import { ALL_ENTRIES, ownEntries, SETTINGS_PAGES, visibleEntries } from '../nav';
import { openShortcutHelp } from '../overlays';
import { recentStore } from '../recent';

export interface PaletteEntry extends Words {
  id: string;
  icon: ReactNode;
  hint?: string;
  keys?: string;
  run: () => void;
}
export interface PaletteSection {
  key: 'recent' | 'go' | 'act' | 'found';
  entries: PaletteEntry[];
}

const MOST = 8;

const best = (query: string, entries: readonly PaletteEntry[], most = MOST): PaletteEntry[] =>
  entries
    .map((entry) => ({ entry, score: matchScore(query, entry) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, most)
    .map(({ entry }) => entry);

function useGoEntries(): PaletteEntry[] {
  const { t } = useTranslation(['shell', 'palette']);
  const language = useLanguage();
  const navigate = useNavigate();
  const objects = useObjectsIfLoaded();
  const can = useCan();
  return useMemo(
    () => [
      ...visibleEntries(ALL_ENTRIES, objects, can).map((entry) => ({
        id: `go:${entry.key}`,
        label: t(`shell:nav.${entry.key}`) as string,
        pinyin: t(`palette:pinyin.${entry.key}`) as string,
        keywords: entry.key,
        icon: <entry.icon size={16} stroke={1.6} />,
        ...(entry.go !== undefined && { keys: `g ${entry.go}` }),
        run: () => {
          navigate({ to: entry.to });
        },
      })),
      ...ownEntries(objects).map((entry) => ({
        id: `go:${entry.key}`,
        label: labelText(entry.label, language, entry.key),
        keywords: entry.key.replaceAll('_', ''),
        icon: <ObjectIcon name={entry.iconName ?? ''} />,
        run: () => {
          navigate({ to: entry.to });
        },
      })),
      ...SETTINGS_PAGES.map((page) => ({
        id: `settings:${page}`,
        label: t(`palette:settings.${page}`) as string,
        pinyin: t(`palette:pinyin.settings_${page}`) as string,
        keywords: page,
        hint: t('shell:nav.settings'),
        icon: <IconSettings size={16} stroke={1.6} />,
        run: () => {
          navigate({ to: `/settings/${page}` });
        },
      })),
    ],
    [t, navigate, objects, language, can],
  );
}

function useActEntries(): PaletteEntry[] {
  const { t } = useTranslation(['shell', 'palette']);
  const navigate = useNavigate();
  const can = useCan();
  const objects = useObjectsIfLoaded();
  const language = useLanguage();
  const scheme = useColorScheme();
  const signOut = useSignOut();
  const registered = useStore(commandStore);
  const other = language === 'zh-CN' ? 'en' : 'zh-CN';
  const act = (id: string, label: string, icon: ReactNode, run: () => void): PaletteEntry => ({
    id: `act:${id}`,
    label,
    pinyin: t(`palette:pinyin.act_${id}`, { defaultValue: '' }) as string,
    keywords: id,
    icon,
    run,
  });
  const entries: PaletteEntry[] = registered.map(({ icon, ...command }) => ({
    ...command,
    icon: icon ?? <IconPlus size={16} />,
  }));
  for (const key of [
    'customer',
    'task',
    'order',
    'product',
    'contact',
    ...ownEntries(objects).map((entry) => entry.key),
  ]) {
    const object = findObject(objects, key);
    if (object?.actions.create !== true) continue;
    const name = labelText(object.label, language, key);
    entries.push(
      act(`new_${key}`, t('palette:actions.new', { name }), <IconPlus size={16} />, () => {
        navigate({ to: '/o/$object', params: { object: key }, search: { new: true } });
      }),
    );
  }
  if (can('segment.write'))
    entries.push(
      act('new_segment', t('palette:actions.newSegment'), <IconFilterPlus size={16} />, () =>
        navigate({ to: '/segments/new' }),
      ),
    );
  if (can('import.run'))
    entries.push(
      act('new_import', t('palette:actions.newImport'), <IconFileImport size={16} />, () =>
        navigate({ to: '/imports/new' }),
      ),
    );
  entries.push(
    act(
      'theme',
      scheme === 'dark' ? t('shell:theme.light') : t('shell:theme.dark'),
      scheme === 'dark' ? <IconSun size={16} /> : <IconMoonStars size={16} />,
      () => setAppearance(scheme === 'dark' ? 'light' : 'dark'),
    ),
    act('language', LANGUAGE_NAMES[other], <IconLanguage size={16} />, () => setLanguage(other)),
    act('shortcuts', t('shell:shortcuts.title'), <IconKeyboard size={16} />, openShortcutHelp),
    act('sign_out', t('shell:account.signOut'), <IconLogout size={16} />, () =>
      signOut.mutate(undefined, { onSettled: () => navigate({ to: '/sign-in' }) }),
    ),
  );
  return entries;
}

function useRecordEntries(query: string): { entries: PaletteEntry[]; searching: boolean } {
  const navigate = useNavigate();
  const language = useLanguage();
  const objects = useObjectsIfLoaded();
  const settled = useDebounced(query.trim(), 150);
  const found = useQuery(searchQuery(settled, 12));
  const entries = settled === '' || query.trim() === '' ? [] : (found.data?.items ?? []);
  return {
    searching: found.isFetching || settled !== query.trim(),
    entries: entries.map((hit) => {
      const object = findObject(objects, hit.object);
      return {
        id: `record:${hit.object}:${hit.id}`,
        label: hit.title,
        keywords: hit.subtitle,
        icon:
          hit.object === 'customer' ? <Avatar name={hit.title} size={18} /> : <ObjectIcon name={object?.icon ?? ''} />,
        hint: [hit.subtitle, labelText(object?.label, language, hit.object)].filter(Boolean).join(' \u00b7 '),
        run: () => {
          navigate({ to: '/o/$object/$id', params: { object: hit.object, id: hit.id } });
        },
      };
    }),
  };
}

function useRecentEntries(): PaletteEntry[] {
  const navigate = useNavigate();
  const language = useLanguage();
  const objects = useObjectsIfLoaded();
  return useStore(recentStore).map((recent) => {
    const object = findObject(objects, recent.object);
    return {
      id: `recent:${recent.id}`,
      label: recent.title,
      icon:
        recent.object === 'customer' ? (
          <Avatar name={recent.title} size={18} />
        ) : (
          <ObjectIcon name={object?.icon ?? ''} />
        ),
      hint: labelText(object?.label, language, recent.object),
      run: () => {
        navigate({ to: '/o/$object/$id', params: { object: recent.object, id: recent.id } });
      },
    };
  });
}

/** What the palette shows for a query: go somewhere, do something, open a record. */
export function usePaletteSections(query: string): { sections: PaletteSection[]; searching: boolean } {
  const go = useGoEntries();
  const act = useActEntries();
  const recent = useRecentEntries();
  const records = useRecordEntries(query);
  const empty = query.trim() === '';
  const sections: PaletteSection[] = empty
    ? [
        { key: 'recent', entries: recent.slice(0, 5) },
        { key: 'go', entries: go.filter((entry) => entry.id.startsWith('go:')).slice(0, 6) },
        { key: 'act', entries: act.slice(0, 6) },
      ]
    : [
        { key: 'go', entries: best(query, go, 5) },
        { key: 'act', entries: best(query, act, 4) },
        { key: 'found', entries: records.entries },
      ];
  return { sections: sections.filter((section) => section.entries.length > 0), searching: !empty && records.searching };
}
