import type { RouteRecordRaw } from 'vue-router'

export const cardRoutes: RouteRecordRaw[] = [
  { path: '/card', name: 'card', component: () => import('./CardPage.vue'), meta: { title: 'card.title' } },
]
