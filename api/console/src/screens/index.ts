/** The screens, by path. A screen is loaded when it is opened: one line here and one folder is all that it needs. */
import type { Component } from 'svelte';

export interface ScreenProps {
  params: Record<string, string>;
}

export interface Route {
  path: string;
  title: string;
  /** `never`: a screen takes all of `ScreenProps`, or none of them. */
  load: () => Promise<{ default: Component<never> }>;
}

export const ROUTES: readonly Route[] = [
  { path: '/', title: 'Jobs', load: () => import('./jobs/Jobs.svelte') },
  { path: '/jobs/:id', title: 'Job', load: () => import('./job/JobScreen.svelte') },
  { path: '/runs', title: 'Recovery runs', load: () => import('./runs/Runs.svelte') },
  { path: '/runs/:id', title: 'Recovery run', load: () => import('./run/Run.svelte') },
  { path: '/what-if', title: 'What if', load: () => import('./what-if/WhatIf.svelte') },
  { path: '/audit', title: 'Audit', load: () => import('./audit/Audit.svelte') },
  { path: '/system', title: 'System', load: () => import('./system/System.svelte') },
];
