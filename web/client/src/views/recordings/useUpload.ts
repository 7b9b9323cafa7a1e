import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'

import { read, type FilmFile } from './filmFile'

import type { Api } from '@/protocol/http/api'
import type { Upload } from '@/protocol/http/recordingShapes'

import { asProblem, NETWORK_UNREACHABLE, TIMED_OUT, type Problem } from '@/protocol/problem'

/** Half a minute on a line of 35 kB/s; what a break costs at most. */
const CHUNK_BYTES = 1024 * 1024
const RETRY_MS = [2_000, 4_000, 8_000, 15_000, 30_000]
const BEING_CHECKED = 'upload_being_checked'
const LINE = [NETWORK_UNREACHABLE, TIMED_OUT, 'upload_checksum']
/** A mistake of the server may be gone when it has started anew; one that stays is for people to hear of. */
const MOST_MISTAKES = 5

interface Uploading {
  sent: Ref<number>
  /** The last chunk is on its way, with which the server looks at the whole film before it answers. */
  finishing: Ref<boolean>
  /** It does not get through, and is tried again by itself. */
  waiting: Ref<boolean>
  problem: ShallowRef<unknown>
  /** Sends what is missing; answers the recording's id, undefined where it was stopped or refused. */
  run: (film: FilmFile, upload: Upload) => Promise<string | undefined>
  stop: () => void
}

/** Sends a film chunk by chunk, and goes on by itself where the line breaks or the server starts anew. */
export function useUpload(api: Api): Uploading {
  const sent = ref(0)
  const finishing = ref(false)
  const waiting = ref(false)
  const problem = shallowRef<unknown>()
  let stopped = new AbortController()

  const isStopped = (): boolean => stopped.signal.aborted

  async function run({ file, fingerprint }: FilmFile, upload: Upload): Promise<string | undefined> {
    stopped = new AbortController()
    problem.value = undefined
    waiting.value = false
    let failures = 0
    let { offset } = upload
    while (!isStopped()) {
      sent.value = offset
      try {
        const chunk = await read(file.slice(offset, offset + CHUNK_BYTES))
        finishing.value = offset + chunk.size >= file.size
        const answered = await api.sendChunk(upload.id, offset, chunk, fingerprint, stopped.signal)
        failures = 0
        waiting.value = false
        if (answered.recordingId) return answered.recordingId
        offset = answered.offset
      } catch (error) {
        if (isStopped()) return undefined
        const refused = asProblem(error)
        const there = whereToGoOn(refused)
        if (there !== undefined && there !== offset) {
          offset = there
          continue
        }
        if (there === undefined && !passes(refused, failures)) {
          problem.value = error
          return undefined
        }
        waiting.value = refused.code !== BEING_CHECKED
        await pause(wait(refused, failures++), stopped.signal)
      }
    }
    return undefined
  }

  return { sent, finishing, waiting, problem, run, stop: () => stopped.abort() }
}

/** What the server has already, where it says so: at the same place as before, another chunk is being written. */
function whereToGoOn({ code, details }: Problem): number | undefined {
  return code === 'upload_offset' && typeof details.offset === 'number' ? details.offset : undefined
}

/** Not of this film, but of the moment: the line, a server or proxy that is busy, or a server that starts anew. */
function passes({ code, status }: Problem, failures: number): boolean {
  if (code === 'storage_full') return false
  if (code === 'internal_error') return failures < MOST_MISTAKES
  return LINE.includes(code) || status === 408 || status === 429 || status >= 500
}

function wait({ details }: Problem, failures: number): number {
  const usual = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 30_000
  return typeof details.retryAfter === 'number' ? Math.max(usual, 1000 * details.retryAfter) : usual
}

function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      stop.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    stop.addEventListener('abort', end)
  })
}
