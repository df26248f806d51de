import { startLocalLog } from "../support/started-logs.ts";
import { outcomeLogContract } from "./outcome-log.ts";

outcomeLogContract("the log of one process", startLocalLog);
