import type { AttendanceState } from '@/protocol/http/shapes'

/** The colour of a chip. */
export const TONES: Record<AttendanceState, string> = {
  present: 'good',
  made_up: 'good',
  late: 'warn',
  left_early: 'warn',
  excused: '',
  absent: 'bad',
}
