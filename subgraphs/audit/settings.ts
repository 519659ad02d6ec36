/** The audit's own settings, read once from the environment. */
import { z } from 'zod';
import { checkSettings } from '../../platform/config.ts';

const schema = z.object({
  /** Whether what the other domains change is followed and sealed. */
  AUDIT_FOLLOW: z.stringbool().default(true),
  /** File that the heads of the chains are written down in; without it `audit-anchors.jsonl` under DATA_DIR. */
  AUDIT_ANCHOR_FILE: z.string().optional(),
  /** Minutes between anchors, after each of which what has come since is verified; 0 for none by itself. */
  AUDIT_ANCHOR_MINUTES: z.coerce.number().min(0).max(10_080).default(60),
  /** Days after which events are put aside; 0 for never by itself. */
  AUDIT_ARCHIVE_DAYS: z.coerce.number().int().min(0).max(36_500).default(90),
});

export interface AuditSettings {
  follow: boolean;
  anchorFile: string | undefined;
  anchorMinutes: number;
  archiveDays: number;
}

/** Reads the settings; throws one error that lists every value that does not fit. */
export function readSettings(environment: NodeJS.ProcessEnv): AuditSettings {
  const values = checkSettings(schema, environment);
  return {
    follow: values.AUDIT_FOLLOW,
    anchorFile: values.AUDIT_ANCHOR_FILE,
    anchorMinutes: values.AUDIT_ANCHOR_MINUTES,
    archiveDays: values.AUDIT_ARCHIVE_DAYS,
  };
}

export const settings = readSettings(process.env);
