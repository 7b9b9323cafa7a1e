import type { RouteRecordRaw } from 'vue-router'

export const recordingRoutes: RouteRecordRaw[] = [
  {
    path: '/recordings',
    name: 'recordings',
    component: () => import('./RecordingsPage.vue'),
    meta: { title: 'recordings.title' },
  },
  {
    path: '/recordings/storage',
    name: 'recording-storage',
    component: () => import('./manage/StoragePage.vue'),
    meta: { title: 'recordings.storage.title' },
  },
  {
    path: '/recordings/upload',
    name: 'upload',
    component: () => import('./UploadPage.vue'),
    meta: { title: 'recordings.upload.title' },
  },
  {
    // Open: what is public is watched without signing in; for everything else the page sends people to sign in.
    path: '/recordings/:id',
    name: 'recording',
    component: () => import('./RecordingPage.vue'),
    props: true,
    meta: { title: 'recordings.title', open: true },
  },
  {
    path: '/recordings/:id/viewings',
    name: 'recording-viewings',
    component: () => import('./manage/WatchersPage.vue'),
    props: true,
    meta: { title: 'recordings.watchers.title' },
  },
]
