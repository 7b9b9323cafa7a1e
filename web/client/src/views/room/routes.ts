import type { RouteRecordRaw } from 'vue-router'

export const roomRoutes: RouteRecordRaw[] = [
  {
    path: '/meetings/:id/room',
    name: 'room',
    component: () => import('./RoomPage.vue'),
    props: true,
    meta: { title: 'room.title', bare: true },
  },
]
