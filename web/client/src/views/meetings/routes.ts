import type { RouteRecordRaw } from 'vue-router'

export const meetingRoutes: RouteRecordRaw[] = [
  {
    path: '/meetings/new',
    name: 'schedule',
    component: () => import('./SchedulePage.vue'),
    meta: { title: 'schedule.title' },
  },
  {
    path: '/meetings/:id',
    name: 'meeting',
    component: () => import('./MeetingPage.vue'),
    props: true,
    meta: { title: 'meeting.title' },
  },
]
