import { startRemoteLog } from "../support/started-logs.ts";
import { outcomeLogContract } from "./outcome-log.ts";

outcomeLogContract("the log of another process", startRemoteLog);
