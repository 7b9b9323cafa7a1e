import { environmentProblem } from './problems'

export type Capturer = 'camera' | 'microphone'

export class EnvironmentError extends Error {
  constructor(
    readonly problem: 'insecure' | 'unsupported' | 'denied' | 'missing' | 'busy' | 'lost' | 'failed',
  ) {
    super(problem)
  }
}

/** Phones encode three sizes of 720p badly and hotly; their pictures are shown small anyway. */
const onPhone = (): boolean => matchMedia('(pointer: coarse) and (max-width: 60rem)').matches

function videoConstraints(deviceId: string): MediaTrackConstraints {
  const size = onPhone()
    ? { width: { ideal: 640 }, height: { ideal: 360 } }
    : { width: { ideal: 1280 }, height: { ideal: 720 } }
  return {
    ...size,
    frameRate: { ideal: 24, max: 30 },
    ...(deviceId ? { deviceId: { exact: deviceId } } : { facingMode: 'user' }),
  }
}

function audioConstraints(deviceId: string): MediaTrackConstraints {
  const voice = { echoCancellation: true, noiseSuppression: true, autoGainControl: true }
  return deviceId ? { ...voice, deviceId: { exact: deviceId } } : voice
}

function requireEnvironment(): void {
  const problem = environmentProblem()
  if (problem) throw new EnvironmentError(problem)
}

export interface Captured {
  camera?: MediaStreamTrack
  microphone?: MediaStreamTrack
}

/** The devices by their ids, '' for any. */
type Wanted = Partial<Record<Capturer, string>>

const ask = ({ camera, microphone }: Wanted): Promise<MediaStream> =>
  navigator.mediaDevices.getUserMedia({
    video: camera !== undefined && videoConstraints(camera),
    audio: microphone !== undefined && audioConstraints(microphone),
  })

/** Exactly the device that was chosen, because Chromium takes no less for a wish; any where it is there no more. */
async function open(wanted: Wanted): Promise<MediaStream> {
  try {
    return await ask(wanted)
  } catch (error) {
    if ((error as { name?: string } | null)?.name !== 'OverconstrainedError') throw error
    return ask(Object.fromEntries(Object.keys(wanted).map((kind) => [kind, ''])))
  }
}

/** Opens both at once where both are wanted, so that the browser asks only once. */
export async function capture(wanted: Wanted): Promise<Captured> {
  requireEnvironment()
  const stream = await open(wanted)
  const [video, audio] = [stream.getVideoTracks()[0], stream.getAudioTracks()[0]]
  if (video) video.contentHint = 'motion'
  if (audio) audio.contentHint = 'speech'
  return { ...(video && { camera: video }), ...(audio && { microphone: audio }) }
}

export const canShareScreen = (): boolean =>
  'mediaDevices' in navigator && 'getDisplayMedia' in navigator.mediaDevices

export interface CapturedScreen {
  screen: MediaStreamTrack
  screenAudio: MediaStreamTrack | null
}

export async function captureScreen(): Promise<CapturedScreen | null> {
  requireEnvironment()
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { frameRate: { max: 15 } },
    audio: true,
  })
  const [screen, screenAudio] = [stream.getVideoTracks()[0], stream.getAudioTracks()[0]]
  if (!screen) return null
  screen.contentHint = 'detail'
  if (screenAudio) screenAudio.contentHint = 'music'
  return { screen, screenAudio: screenAudio ?? null }
}
