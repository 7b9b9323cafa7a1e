import type { RouteRecordRaw } from 'vue-router'

export const recordingRoutes: RouteRecordRaw[] = [
  {
    path: '/recordings',
    name: 'recordings',
    component: () => import('./RecordingsPage.vue'),
    meta: { title: 'recordings.title' },
  },
  {
    path: '/recordings/upload',
    name: 'upload',
    component: () => import('./UploadPage.vue'),
    meta: { title: 'recordings.upload.title' },
  },
  {
    path: '/recordings/:id',
    name: 'recording',
    component: () => import('./RecordingPage.vue'),
    props: true,
    meta: { title: 'recordings.title' },
  },
]
