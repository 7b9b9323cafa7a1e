import { defineStore } from 'pinia'
import { ref } from 'vue'

export type ToastTone = 'info' | 'success' | 'problem'

export interface Toast {
  id: number
  text: string
  tone: ToastTone
}

/** Long enough to be read slowly; a problem stays longer. */
const SHOWN_MS: Record<ToastTone, number> = { info: 5000, success: 4000, problem: 9000 }
const MOST_AT_ONCE = 3

/** Short notices at the edge of the page that block nothing and go away by themselves. */
export const useToasts = defineStore('toasts', () => {
  const shown = ref<Toast[]>([])
  let lastId = 0

  const dismiss = (id: number): void => void (shown.value = shown.value.filter((toast) => toast.id !== id))

  function show(text: string, tone: ToastTone = 'info'): void {
    const id = ++lastId
    const others = shown.value.filter((toast) => toast.text !== text)
    shown.value = [...others, { id, text, tone }].slice(-MOST_AT_ONCE)
    setTimeout(() => dismiss(id), SHOWN_MS[tone])
  }

  return { shown, show, dismiss }
})
