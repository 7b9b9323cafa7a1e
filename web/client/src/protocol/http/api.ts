import type { HttpClient, Page } from './client'
import type {
  Coverage,
  FillingStorage,
  Interval,
  Keeping,
  LeavingRecording,
  NewUpload,
  Recording,
  RecordingChanges,
  RecordingDeletion,
  StorageRules,
  Upload,
  Watcher,
} from './recordingShapes'
import type {
  AttendanceList,
  AttendanceState,
  CardEntry,
  Consultation,
  LeaveRequest,
  Meeting,
  NewMeeting,
  NewStreamKey,
  Notice,
  Organization,
  Person,
  Service,
  Session,
  Station,
  StreamKey,
  StreamUse,
  Ticket,
} from './shapes'

import { sha256 } from '@/lib/sha256'

export interface RecordingsQuery {
  meetingId?: string
  organizationId?: string
  kind?: string
  from?: string
  to?: string
  memberId?: string
  query?: string
  cursor?: string | undefined
}

export interface MeetingsQuery {
  from?: string
  to?: string
  organizationId?: string
  newestFirst?: boolean
  limit?: number
  cursor?: string | undefined
}

/** Every call of the HTTP API this client makes, by name. */
export class Api {
  constructor(readonly http: HttpClient) {}

  session = (): Promise<Session> => this.http.get('/session')
  signIn = (username: string, password: string): Promise<Session> =>
    this.http.post('/session', { username, password })
  signOut = (): Promise<unknown> => this.http.delete('/session')

  chooseLocale = (locale: 'zh-CN' | 'en'): Promise<Session> => this.http.patch('/account', { locale })
  changePassword = (currentPassword: string, newPassword: string): Promise<Session> =>
    this.http.post('/account/password', { currentPassword, newPassword })

  /** All that one may see: a district has more than fit into one page. */
  organizations = async (): Promise<Organization[]> => {
    const found: Organization[] = []
    let cursor: string | null | undefined
    do {
      const page: Page<Organization> = await this.http.get('/organizations', { limit: 200, cursor })
      found.push(...page.items)
      cursor = page.nextCursor
    } while (cursor)
    return found
  }

  meetings = (query: MeetingsQuery = {}): Promise<Page<Meeting>> => this.http.get('/meetings', { ...query })
  meeting = (id: string): Promise<Meeting> => this.http.get(`/meetings/${id}`)
  schedule = (meeting: NewMeeting): Promise<Meeting> => this.http.post('/meetings', meeting)
  cancelMeeting = (id: string): Promise<Meeting> => this.http.post(`/meetings/${id}/cancel`)
  requestLeave = (id: string, reason: string): Promise<unknown> =>
    this.http.post(`/meetings/${id}/leave-request`, { reason })
  leaveRequests = (id: string): Promise<Page<LeaveRequest>> =>
    this.http.get(`/meetings/${id}/leave-requests`, { limit: 200 })
  decideLeave = (id: string, memberId: string, granted: boolean): Promise<LeaveRequest> =>
    this.http.post(`/meetings/${id}/leave-requests/${memberId}/decision`, { granted })
  signUp = (id: string): Promise<Meeting> => this.http.post(`/meetings/${id}/sign-up`)

  streamKeys = (id: string): Promise<Page<StreamKey>> => this.http.get(`/meetings/${id}/stream-keys`)
  makeStreamKey = (id: string, name: string, use: StreamUse): Promise<NewStreamKey> =>
    this.http.post(`/meetings/${id}/stream-keys`, { name, use })
  revokeStreamKey = (id: string, keyId: string): Promise<unknown> =>
    this.http.delete(`/meetings/${id}/stream-keys/${keyId}`)

  attendance = (id: string, cursor?: string): Promise<AttendanceList> =>
    this.http.get(`/meetings/${id}/attendance`, { limit: 200, cursor })
  correctAttendance = (
    id: string,
    memberId: string,
    state: AttendanceState,
    reason: string,
  ): Promise<unknown> =>
    this.http.post(`/meetings/${id}/attendance/${memberId}/correction`, { state, reason })

  card = (memberId: string, cursor?: string, limit = 20): Promise<Page<CardEntry>> =>
    this.http.get(`/members/${memberId}/card`, { limit, cursor })

  notices = (): Promise<Page<Notice>> => this.http.get('/members/me/notices')
  /** Also by who leaves the page at the same moment. */
  seeNotices = (until: string): Promise<unknown> =>
    this.http.post('/members/me/notices/seen', { until }, { keepalive: true })

  recordings = (query: RecordingsQuery = {}): Promise<Page<Recording>> =>
    this.http.get('/recordings', { ...query, limit: 30 })
  toStudy = (limit = 20, cursor?: string): Promise<Page<Recording>> =>
    this.http.get('/members/me/study', { limit, cursor })
  /** What was deleted before one had made the absence up. */
  missedStudy = (): Promise<Page<RecordingDeletion>> => this.http.get('/members/me/missed-study')
  recording = (id: string): Promise<Recording> => this.http.get(`/recordings/${id}`)
  /** The address of a file that goes with a recording. */
  recordingFile = (id: string, name: string): string => `/api/recordings/${id}/${name}`
  changeRecording = (id: string, changes: RecordingChanges): Promise<Recording> =>
    this.http.patch(`/recordings/${id}`, changes)
  remakeRecording = (id: string): Promise<Recording> => this.http.post(`/recordings/${id}/remake`)
  putCaptions = (id: string, language: string, label: string, text: string): Promise<unknown> =>
    this.http.put(`/recordings/${id}/captions/${language}`, { label, text })
  removeCaptions = (id: string, language: string): Promise<unknown> =>
    this.http.delete(`/recordings/${id}/captions/${language}`)
  watchers = (id: string, cursor?: string): Promise<Page<Watcher>> =>
    this.http.get(`/recordings/${id}/viewings`, { limit: 100, cursor })
  keeping = (id: string): Promise<Keeping> => this.http.get(`/recordings/${id}/keeping`)
  holdRecording = (id: string, reason: string): Promise<Keeping> =>
    this.http.post(`/recordings/${id}/hold`, { reason })
  releaseRecording = (id: string, reason: string): Promise<Keeping> =>
    this.http.post(`/recordings/${id}/release`, { reason })
  deleteRecording = (id: string, reason: string): Promise<unknown> =>
    this.http.post(`/recordings/${id}/delete`, { reason })
  recordingDeletion = (id: string): Promise<RecordingDeletion> => this.http.get(`/recordings/${id}/deletion`)
  recordingDeletions = (cursor?: string): Promise<Page<RecordingDeletion>> =>
    this.http.get('/recording-deletions', { limit: 30, cursor })
  leavingRecordings = (cursor?: string): Promise<Page<LeavingRecording>> =>
    this.http.get('/leaving-recordings', { limit: 30, cursor })
  fillingStorage = (): Promise<Page<FillingStorage>> => this.http.get('/filling-storage')
  storageRules = (organizationId: string): Promise<StorageRules> =>
    this.http.get(`/organizations/${organizationId}/storage`)
  putStorageRules = (
    organizationId: string,
    rules: Pick<StorageRules, 'keepDays' | 'keepDaysByKind'> & { quotaBytes: number | null },
  ): Promise<StorageRules> => this.http.put(`/organizations/${organizationId}/storage`, rules)
  /** Those one may see who are called so. */
  people = (query: string): Promise<Page<Person>> => this.http.get('/members', { query, limit: 20 })
  member = (id: string): Promise<Person> => this.http.get(`/members/${id}`)
  reportViewing = (
    id: string,
    report: { intervals: Interval[]; rate: number; ended?: boolean; version?: number },
    keepalive = false,
  ): Promise<Coverage> => this.http.post(`/recordings/${id}/viewing`, report, { keepalive })
  answerPrompt = (id: string, prompt: string): Promise<Coverage> =>
    this.http.post(`/recordings/${id}/viewing/answer`, { prompt })

  uploads = (): Promise<Page<Upload>> => this.http.get('/uploads')
  beginUpload = (film: NewUpload): Promise<Upload> => this.http.post('/uploads', film)
  cancelUpload = (id: string): Promise<unknown> => this.http.delete(`/uploads/${id}`)
  /** The next chunk, of the film that is known by this fingerprint. */
  sendChunk = async (
    id: string,
    offset: number,
    bytes: Blob,
    fingerprint: string,
    signal: AbortSignal,
  ): Promise<Upload> => {
    const headers = {
      'Upload-Offset': String(offset),
      'Upload-Fingerprint': fingerprint,
      ...(await checksum(bytes)),
    }
    return this.http.request<Upload>('PATCH', `/uploads/${id}`, { bytes, headers, signal })
  }

  stations = (): Promise<Page<Station>> => this.http.get('/stations')
  services = (): Promise<Page<Service>> => this.http.get('/services')
  takeTicket = (ticket: { serviceId: string; stationId?: string; displayName?: string }): Promise<Ticket> =>
    this.http.post('/consultations', ticket)
  consultation = (id: string): Promise<Consultation> => this.http.get(`/consultations/${id}`)
  rate = (id: string, stars: number, comment: string, token: string): Promise<unknown> =>
    this.http.post(`/consultations/${id}/rating`, comment ? { stars, comment } : { stars }, { token })
  station = (): Promise<Station> => this.http.get('/station-session')
  openStation = (key: string): Promise<Station> => this.http.post('/station-session', { key })
}

async function checksum(bytes: Blob): Promise<Record<string, string>> {
  const digest = await sha256(bytes)
  if (!digest) return {}
  return { 'Upload-Checksum': `sha-256 ${btoa(String.fromCharCode(...digest))}` }
}
