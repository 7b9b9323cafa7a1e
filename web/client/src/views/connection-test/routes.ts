import type { RouteRecordRaw } from 'vue-router'

export const connectionTestRoutes: RouteRecordRaw[] = [
  {
    path: '/connection-test',
    name: 'connection-test',
    component: () => import('./ConnectionTestPage.vue'),
    meta: { title: 'connectionTest.title', open: true },
  },
]
