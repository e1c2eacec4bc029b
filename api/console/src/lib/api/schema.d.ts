// Generated from docs/openapi.json by `npm run types`.

export interface paths {
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Livez
         * @description Return that the process is alive.
         */
        get: operations["livez_livez_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        /**
         * Livez
         * @description Return that the process is alive.
         */
        head: operations["livez_livez_head"];
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Readyz
         * @description Return whether the event store can be written and the read model is current.
         */
        get: operations["readyz_readyz_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        /**
         * Readyz
         * @description Return whether the event store can be written and the read model is current.
         */
        head: operations["readyz_readyz_head"];
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Health
         * @description Return the state of the service's processes and of each VMA's circuit breaker.
         */
        get: operations["health_health_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Metrics
         * @description Return the metrics for Prometheus; without the number of jobs while the read model cannot be used.
         */
        get: operations["metrics_metrics_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Jobs
         * @description List jobs by id, present or past: those in any of the states and of any of the contexts.
         *
         *     All pages of a list of the past are of the moment of the first one, whatever was recorded in between. If the log has
         *     lost the event there, by a restore or a failover, the next page is refused. With `needs_attention`, such a page
         *     may have fewer items than `limit`.
         */
        get: operations["list_jobs_api_v1_jobs_get"];
        put?: never;
        /**
         * Register Job
         * @description Register a job, which is watched from then on. Repeating it unchanged has no effect and returns 200.
         */
        post: operations["register_job_api_v1_jobs_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{job_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Job
         * @description Return one job: present, with its live state, or past, at a version, a position or a time.
         */
        get: operations["get_job_api_v1_jobs__job_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{job_id}/diff": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Diff Job
         * @description Return the changes of a job between two versions, positions or times, and the events that made them.
         */
        get: operations["diff_job_api_v1_jobs__job_id__diff_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{job_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Events
         * @description Return all events of a job in the order of the log, also those by which its VM context admits and releases it.
         */
        get: operations["get_events_api_v1_jobs__job_id__events_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{job_id}/decision": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Decide Job
         * @description Complete or fail an open job by an operator's decision, or correct an inferred or contradicted outcome.
         *
         *     Without tokens, `who` is the actor.
         *
         *     With `If-Match`, a job that has changed since is not decided: 412, with the present `ETag`.
         */
        post: operations["decide_job_api_v1_jobs__job_id__decision_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/vm-contexts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Vm Contexts
         * @description List VM contexts by id.
         */
        get: operations["list_vm_contexts_api_v1_vm_contexts_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/vm-contexts/{vm_context_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Vm Context
         * @description Return a VM context and its active job.
         */
        get: operations["get_vm_context_api_v1_vm_contexts__vm_context_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/recovery-runs/compare": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compare Runs
         * @description Compare two runs: the jobs that they decided by different rules, and the duration of each phase.
         */
        get: operations["compare_runs_api_v1_recovery_runs_compare_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/recovery-runs/what-if": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What If Over Runs
         * @description Make all decisions of a run, or of a period, again under another policy. Nothing is written.
         *
         *     Without a number of another policy, the changes are those of the code since then. A question with more than 10,000
         *     changes is refused: narrow it by `run_id`, `from` or `to`.
         */
        get: operations["what_if_over_runs_api_v1_recovery_runs_what_if_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/recovery-runs/{run_id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Replay Run
         * @description Replay a run: the observations of each job, and every decision made again from its evidence.
         *
         *     With numbers of another policy, also the decisions that it changes.
         */
        get: operations["replay_run_api_v1_recovery_runs__run_id__replay_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/recovery-runs/{run_id}/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export Run
         * @description Return a run as one file, for `job-recovery replay FILE`, which needs no database and no VMA.
         */
        get: operations["export_run_api_v1_recovery_runs__run_id__export_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/recovery-runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Runs
         * @description List recorded runs, newest first.
         */
        get: operations["list_runs_api_v1_recovery_runs_get"];
        put?: never;
        /**
         * Start Run
         * @description Start a recovery run over all open jobs, and return when its start is stored. `Location` is the run.
         *
         *     While the start of an earlier request's run is not stored yet, that run is returned instead of another one.
         */
        post: operations["start_run_api_v1_recovery_runs_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/recovery-runs/{run_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Run
         * @description Return one run. A dry run is available until the service is restarted.
         *
         *     The instance that makes a run is asked for its progress.
         */
        get: operations["get_run_api_v1_recovery_runs__run_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/recovery-runs/{run_id}/decisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Decisions
         * @description List the run's decisions, in their order.
         */
        get: operations["list_decisions_api_v1_recovery_runs__run_id__decisions_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Audit
         * @description List events of all jobs. A page does not change when events are added.
         */
        get: operations["list_audit_api_v1_audit_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export Audit
         * @description Stream all events of a filter. The headers tell how many they are, so that a cut connection is noticed.
         */
        get: operations["export_audit_api_v1_audit_export_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/seal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Seal
         * @description Return the log's last seal. Store it elsewhere, for `job-recovery verify --expect`.
         */
        get: operations["get_seal_api_v1_audit_seal_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/{position}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Entry
         * @description Return one event.
         */
        get: operations["get_entry_api_v1_audit__position__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/{position}/chain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Chain
         * @description Return the causation chain of an event, such as decision, observation, recovery, run, and who caused that.
         */
        get: operations["get_chain_api_v1_audit__position__chain_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stream Events
         * @description Stream new events, or all after a given one, as they are stored. The filters are those of `/audit`.
         *
         *     Of `Last-Event-ID` and `after`, the former counts. If the log has no such event, as after a restore from a backup,
         *     an event `reset` says so and where the stream goes on. In a second without an event a comment is sent: a client that
         *     receives nothing for much longer should reconnect. The stream ends when the token is revoked.
         */
        get: operations["stream_events_api_v1_events_stream_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/telemetry/{job_type}/{job_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Report
         * @description Record a worker's report as an observation. One sent before the last accepted report changes nothing.
         */
        post: operations["report_api_v1_telemetry__job_type___job_id__post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/recovery/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Recovery Status
         * @description Return the last recovery run, and totals of all runs.
         */
        get: operations["recovery_status_api_v1_recovery_status_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/polling": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Polling Status
         * @description Return the state of each VMA, and whether polling is in time.
         */
        get: operations["polling_status_api_v1_polling_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/polling/{job_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Job Polling
         * @description Return the watcher of a job, and the job's last poll. The instance that watches the job is asked for it.
         */
        get: operations["job_polling_api_v1_polling__job_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Instances
         * @description List the instances that share the event log, and the VMAs that each watches.
         */
        get: operations["list_instances_api_v1_instances_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Session
         * @description Return who the caller is, and what its token allows.
         */
        get: operations["get_session_api_v1_session_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Settings
         * @description List all settings of this process, with their defaults.
         */
        get: operations["list_settings_api_v1_settings_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Tokens
         * @description List the tokens. Needs the scope `admin`.
         */
        get: operations["list_tokens_api_v1_tokens_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * AsOf
         * @description The moment of an answer of the past: the state after the event at `position`, which is the exact form.
         */
        AsOf: {
            /**
             * Position
             * @description 0: before the first event.
             */
            position: number;
            /**
             * Time
             * @description The time `at`, to its last microsecond. Without `at`, when the event at `position` was recorded.
             */
            time: string | null;
            /**
             * Is Future
             * @description The moment is still to come: the answer is of now, and can change. All pages of a list say what its first one says.
             */
            is_future: boolean;
        };
        /**
         * AuditEntry
         * @description One event. `state` is the job's state after it; `data` has the fields of its type.
         *
         *     `rule`, `basis` and `outcome` are those of the decision that it is. A confirmation or contradiction of an outcome
         *     has the basis and the outcome that the job has after it.
         */
        AuditEntry: {
            /**
             * Position
             * @description Place in the log; grows with every event, and is the cursor's order.
             */
            position: number;
            /** Type */
            type: string;
            /**
             * Recorded At
             * Format: date-time
             */
            recorded_at: string;
            /** Stream Id */
            stream_id: string;
            /** Version */
            version: number;
            /** Job Id */
            job_id: string | null;
            /** Vm Context Id */
            vm_context_id: string | null;
            /** Run Id */
            run_id: string | null;
            /** Rule */
            rule: string | null;
            /** Basis */
            basis: string | null;
            /** Outcome */
            outcome: string | null;
            /**
             * Actor
             * @description Who asked for it; `job-recovery` for what the service does by itself.
             */
            actor: string;
            /** State */
            state: string | null;
            /** Correlation Id */
            correlation_id: string;
            /** Causation Id */
            causation_id: string;
            /** Data */
            data: {
                [key: string]: unknown;
            };
        };
        /**
         * Basis
         * @description Whether the VMA stated the outcome, or it was inferred (a guess, which can be revised).
         * @enum {string}
         */
        Basis: "observed" | "inferred";
        /**
         * ChainView
         * @description An event and its causation chain, back to its origin.
         */
        ChainView: {
            /** Items */
            items: components["schemas"]["AuditEntry"][];
            /**
             * Origin
             * @description The `actor` of the last item: an operator, a token, or `local` for a caller without a token. For what the service did by itself, its process, which the item's `causation_id` names.
             */
            origin: string;
        };
        /**
         * Change
         * @description A job with another decision than the recorded one.
         */
        Change: {
            /** Job Id */
            job_id: string;
            /** Run Id */
            run_id: string;
            was: components["schemas"]["ReplayedDecision"];
            would_be: components["schemas"]["ReplayedDecision"];
        };
        /**
         * CompareView
         * @description A comparison of two runs.
         */
        CompareView: {
            a: components["schemas"]["RunView"];
            b: components["schemas"]["RunView"];
            phases_a: components["schemas"]["Phases"];
            phases_b: components["schemas"]["Phases"];
            /** Rules A */
            rules_a: {
                [key: string]: number;
            };
            /** Rules B */
            rules_b: {
                [key: string]: number;
            };
            /** Jobs */
            jobs: components["schemas"]["RuleChange"][];
        };
        /**
         * ConclusiveReport
         * @description A conclusive report about a job: `said` is its status, `at` its time, `by` its source.
         */
        ConclusiveReport: {
            /** Said */
            said: string;
            /**
             * At
             * Format: date-time
             */
            at: string;
            /** Event */
            event: string;
            /** By */
            by: string;
        };
        /**
         * DecisionView
         * @description The last decision on a job. A decision with the basis `inferred` can be revised.
         */
        DecisionView: {
            /** Rule */
            rule: string;
            /** Outcome */
            outcome: string;
            /** Basis */
            basis: string | null;
            /** Reason */
            reason: string;
            /**
             * Decided At
             * Format: date-time
             */
            decided_at: string;
            /** Run Id */
            run_id?: string | null;
            /** Policy Hash */
            policy_hash?: string | null;
            /**
             * Attempt
             * @default 0
             */
            attempt?: number;
            /** Who */
            who?: string | null;
        };
        /**
         * DiffView
         * @description The changes of a job between two moments, and the events that made them.
         */
        DiffView: {
            /** Job Id */
            job_id: string;
            /** From Version */
            from_version: number;
            from_as_of: components["schemas"]["AsOf"];
            /** To Version */
            to_version: number;
            to_as_of: components["schemas"]["AsOf"];
            /** Changes */
            changes: components["schemas"]["FieldChange"][];
            /** Events */
            events: components["schemas"]["AuditEntry"][];
        };
        /**
         * DiskView
         * @description One disk, as last reported by its export.
         */
        DiskView: {
            /** Volume Id */
            volume_id: string;
            /** Status */
            status?: string | null;
            /** Phase */
            phase?: string | null;
            /** Progress Percent */
            progress_percent?: number | null;
            /** Bytes Transferred */
            bytes_transferred?: (number | bigint) | null;
            /** Total Bytes */
            total_bytes?: (number | bigint) | null;
        };
        /**
         * EndedView
         * @description How a job ended: by a rule, by an operator (`who`) or, without both, by what the VMA or a worker reported.
         */
        EndedView: {
            /** Outcome */
            outcome: string;
            /**
             * Basis
             * @description How the outcome is known now: `observed` or `inferred`; null for an operator's decision. After the VMA or the worker has confirmed an inferred one it is `observed`, and `rule` and `why` remain.
             */
            basis: string | null;
            /** Rule */
            rule: string | null;
            /** Who */
            who: string | null;
            /** Why */
            why: string;
            /**
             * At
             * Format: date-time
             * @description The time of the event that ended it.
             */
            at: string;
            /**
             * Version
             * @description The job's version with the event that ended it.
             */
            version: number;
            /**
             * Position
             * @description Its position in the log; null until the read model has applied it.
             */
            position?: number | null;
        };
        /**
         * FieldChange
         * @description One field of a job that changed.
         */
        FieldChange: {
            /** Field */
            field: string;
            /** Before */
            before: unknown;
            /** After */
            after: unknown;
        };
        /**
         * Health
         * @description The state of the service's processes.
         */
        Health: {
            /**
             * Status
             * @example healthy
             * @example starting
             */
            status: string;
            /** Version */
            version: string;
            /** Instance */
            instance: string;
            /** Jobs Polled */
            jobs_polled: number;
            /** Jobs Waiting */
            jobs_waiting: number;
            /** Jobs Recovering */
            jobs_recovering: number;
            /** Poll Lag Seconds */
            poll_lag_seconds: number;
            /** Projection Lag Events */
            projection_lag_events: number;
            /** Vmas */
            vmas: {
                [key: string]: string;
            };
        };
        /**
         * Hindsight
         * @description What was believed at a time, and what is known about it from the last report before it and the first after.
         */
        Hindsight: {
            /** Believed */
            believed: string;
            /**
             * Known
             * @description running, completed, failed, unknown, or two of them joined by `or`
             */
            known: string;
            /** Certain */
            certain: boolean;
            /** Differs */
            differs: boolean;
            /** Because */
            because: string;
            before: components["schemas"]["ConclusiveReport"] | null;
            after: components["schemas"]["ConclusiveReport"] | null;
        };
        /**
         * InstanceView
         * @description One instance that is connected to the event log.
         */
        InstanceView: {
            /** Id */
            id: string;
            /**
             * This
             * @description Whether it is the one that answers.
             */
            this: boolean;
            /** Address */
            address: string;
            /** Version */
            version: string;
            /**
             * Started At
             * Format: date-time
             */
            started_at: string;
            /**
             * Vmas
             * @description The VMAs whose jobs it watches; `*`: those in nobody's settings.
             */
            vmas: string[];
            /**
             * Position
             * @description The last event in what it answers. Null: its release does not tell it.
             */
            position: number | null;
            /**
             * Lag Events
             * @description How many events are missing in what it answers, of those that any instance knows. Null as above.
             */
            lag_events: number | null;
            /**
             * Told At
             * @description When it has told its position, twice a second while it runs, by the clock of the database. The one that answers tells it now.
             */
            told_at: string | null;
        };
        /**
         * InstancesView
         * @description The instances, and what none of them watches.
         */
        InstancesView: {
            /** Items */
            items: components["schemas"]["InstanceView"][];
            /** Unwatched */
            unwatched: components["schemas"]["Unwatched"][];
        };
        /**
         * JobPage
         * @description One page of jobs. All pages of a list of the past are of the moment of its first page.
         */
        JobPage: {
            /** Items */
            items: components["schemas"]["JobView"][];
            /** Next Cursor */
            next_cursor?: string | null;
            /** @description Null for the present. */
            as_of?: components["schemas"]["AsOf"] | null;
        };
        /**
         * JobPolling
         * @description The watcher of one job. `watched_by` is null for a job whose outcome is final.
         */
        JobPolling: {
            /** Job Id */
            job_id: string;
            /** State */
            state: string;
            /** Watched By */
            watched_by: string | null;
            /** Polled */
            polled: boolean;
            /** Last Polled At */
            last_polled_at: string | null;
            /** Next Retry In */
            next_retry_in: number | null;
            live: components["schemas"]["LiveView"] | null;
        };
        /**
         * JobReplay
         * @description The probes and the decision of one job in a run; `decided_after` in seconds since its start.
         *
         *     `identical`: whether the decision, made again from its evidence, equals the recorded one.
         */
        JobReplay: {
            /** Job Id */
            job_id: string;
            /** State Before */
            state_before: string;
            /** Cause */
            cause: string;
            /** Probes */
            probes?: components["schemas"]["Probe"][];
            /** Decided After */
            decided_after?: number | null;
            recorded?: components["schemas"]["ReplayedDecision"] | null;
            recomputed?: components["schemas"]["ReplayedDecision"] | null;
            /** Identical */
            identical?: boolean | null;
            /** State After */
            state_after?: string | null;
            /** Policy Hash */
            policy_hash?: string | null;
        };
        /**
         * JobView
         * @description A job, present or past. `as_known` and `hindsight` are set if the parameter `as_known` was given.
         */
        JobView: {
            /** Job Id */
            job_id: string;
            /** State */
            state: string;
            /** Vm Name */
            vm_name: string;
            /** Vm Context Id */
            vm_context_id: string;
            /** Vma */
            vma: string;
            /** Volume Ids */
            volume_ids: string[];
            /** Progress Percent */
            progress_percent: number;
            /** Phase */
            phase: string | null;
            /** Bytes Transferred */
            bytes_transferred: (number | bigint) | null;
            /** Total Bytes */
            total_bytes: (number | bigint) | null;
            /** Disks */
            disks: components["schemas"]["DiskView"][];
            /** Vma Status */
            vma_status: string | null;
            /** Error */
            error: string | null;
            /** Registered At */
            registered_at: string | null;
            /**
             * Last Contact
             * @description Time of the last conclusive observation.
             */
            last_contact: string | null;
            /** Last Observed At */
            last_observed_at: string | null;
            /** Stalled */
            stalled: boolean;
            /** Stalled Since */
            stalled_since: string | null;
            /**
             * Basis
             * @description `observed` or `inferred`; null without an outcome.
             */
            basis: string | null;
            /** Ended At */
            ended_at: string | null;
            /** @description null while the job is open */
            ended: components["schemas"]["EndedView"] | null;
            /** Needs Attention */
            needs_attention: boolean;
            /** Attention */
            attention: string[];
            decision: components["schemas"]["DecisionView"] | null;
            /** Run Id */
            run_id: string | null;
            recovery: components["schemas"]["RecoveryView"];
            /**
             * Retry In
             * @description Seconds until the next retry, while the job waits by its decision.
             */
            retry_in?: number | null;
            /** Version */
            version: number;
            /** @description null unless the poller asks about the job now. */
            live?: components["schemas"]["LiveView"] | null;
            /** @description Null for the present. */
            as_of?: components["schemas"]["AsOf"] | null;
            /** @description Up to what `hindsight` knows; null without it. */
            as_known?: components["schemas"]["AsOf"] | null;
            hindsight?: components["schemas"]["Hindsight"] | null;
        };
        /**
         * LiveView
         * @description A job's live state in the poller, which is in memory only.
         */
        LiveView: {
            /** Polled At */
            polled_at: string | null;
            /** Polls */
            polls: number;
            /** Misses */
            misses: number;
            /**
             * Moved At
             * Format: date-time
             */
            moved_at: string;
            /** Progress Percent */
            progress_percent?: number | null;
            /** Phase */
            phase?: string | null;
            /** Bytes Transferred */
            bytes_transferred?: (number | bigint) | null;
            /**
             * Bytes Per Second
             * @description The mean of the last one to two minutes of polls; null before the second poll.
             */
            bytes_per_second?: (number | bigint) | null;
            /**
             * Estimated Seconds Left
             * @description An estimate: what is left by the mean growth of the percentage in the same time; null without.
             */
            estimated_seconds_left?: number | null;
            /** Vma Status */
            vma_status?: string | null;
        };
        /**
         * Liveness
         * @description The process runs its event loop.
         */
        Liveness: {
            /**
             * Status
             * @default alive
             */
            status?: string;
        };
        /**
         * NewJob
         * @description A replication job to register.
         * @example {
         *       "job_id": "job-20251003-140000-abc123",
         *       "progress_percent": 0,
         *       "vm_context_id": "ctx-pgtest1",
         *       "vm_name": "pgtest1",
         *       "volume_ids": [
         *         "5f0c6a1e-2f2b-4a5e-9a55-0c6d7d1f3b11"
         *       ]
         *     }
         */
        NewJob: {
            /** Job Id */
            job_id: string;
            /** Vm Name */
            vm_name: string;
            /**
             * Vm Context Id
             * @description The VM of the job. If omitted, the job gets a context of its own.
             */
            vm_context_id?: string | null;
            /** Volume Ids */
            volume_ids: string[];
            /**
             * Progress Percent
             * @description The last progress that the VMA reported.
             */
            progress_percent?: number | null;
            /**
             * Vma
             * @description Name of the VMA in the settings; `default` if omitted.
             */
            vma?: string | null;
        };
        /**
         * NewRun
         * @description A recovery run over all open jobs. A dry run decides, but records and changes nothing.
         * @example {
         *       "dry_run": true
         *     }
         */
        NewRun: {
            /**
             * Dry Run
             * @default false
             */
            dry_run?: boolean;
        };
        /**
         * OperatorOrder
         * @description An operator's decision on a job. The audit trail records `who` and `why`.
         * @example {
         *       "outcome": "fail",
         *       "who": "mara",
         *       "why": "VM was deleted at the source"
         *     }
         */
        OperatorOrder: {
            /**
             * Outcome
             * @enum {string}
             */
            outcome: "complete" | "fail";
            /** Who */
            who: string;
            /** Why */
            why: string;
        };
        /**
         * Outcome
         * @description The outcomes of a decision.
         * @enum {string}
         */
        Outcome: "resume" | "complete" | "fail" | "retry";
        /** Page[AuditEntry] */
        Page_AuditEntry_: {
            /** Items */
            items: components["schemas"]["AuditEntry"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /** Page[RunDecisionView] */
        Page_RunDecisionView_: {
            /** Items */
            items: components["schemas"]["RunDecisionView"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /** Page[RunView] */
        Page_RunView_: {
            /** Items */
            items: components["schemas"]["RunView"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /** Page[SettingView] */
        Page_SettingView_: {
            /** Items */
            items: components["schemas"]["SettingView"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /** Page[TokenView] */
        Page_TokenView_: {
            /** Items */
            items: components["schemas"]["TokenView"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /** Page[VMContextView] */
        Page_VMContextView_: {
            /** Items */
            items: components["schemas"]["VMContextView"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * Phases
         * @description Seconds from the start of a run until every job was probed, decided, and, if resumed, polled again.
         *
         *     Null for what has not happened to every job: the run was interrupted, is still running, or a job ended before it.
         */
        Phases: {
            /** First Round */
            first_round: number | null;
            /** Decided */
            decided: number | null;
            /** Proven */
            proven: number | null;
        };
        /**
         * PollingStatus
         * @description The state of polling since this process started. `success_rate` is the share of conclusive polls.
         */
        PollingStatus: {
            /** Interval Seconds */
            interval_seconds: number;
            /** Active Jobs */
            active_jobs: number;
            /** Lag Seconds */
            lag_seconds: number;
            /** Polls */
            polls: number;
            /**
             * Success Rate
             * @description 0..1; null before the first poll
             */
            success_rate: number | null;
            /** Vmas */
            vmas: {
                [key: string]: components["schemas"]["VMAStatusView"];
            };
        };
        /**
         * Probe
         * @description One probe of a job. `after` in seconds since the start of the run, `took_ms` in milliseconds.
         */
        Probe: {
            /** After */
            after: number;
            /** Status */
            status: string;
            /** Took Ms */
            took_ms: number;
            /** Progress Percent */
            progress_percent: number | null;
            /** Answers */
            answers: components["schemas"]["ProbeAnswer"][];
        };
        /**
         * ProbeAnswer
         * @description The answer of one id to a probe; latency in milliseconds.
         */
        ProbeAnswer: {
            /** Asked Id */
            asked_id: string;
            /** Status */
            status: string;
            /** Http Status */
            http_status: number | null;
            /** Latency Ms */
            latency_ms: number;
            /** Detail */
            detail: string | null;
        };
        /**
         * Readiness
         * @description Whether commands are accepted and reads are current; `why` gives the reasons if not.
         *
         *     `degraded` lists open jobs that are not watched and events that are not shown, while the service itself is ready,
         *     and why tokens cannot be read, if they cannot. If tokens are required, only callers with a token see the rest of
         *     `degraded`, and `why`.
         */
        Readiness: {
            /** Ready */
            ready: boolean;
            /** Event Store Writable */
            event_store_writable: boolean;
            /** Projections Caught Up */
            projections_caught_up: boolean;
            /** Why */
            why?: string[];
            /** Degraded */
            degraded?: string[];
        };
        /**
         * RecoveryStatus
         * @description The state of recovery. `success_rate` is the share of decisions with another outcome than `retry`.
         */
        RecoveryStatus: {
            last_run: components["schemas"]["RunView"] | null;
            /** @description The run after the start of this process; null before it has begun. */
            last_restart: components["schemas"]["RunView"] | null;
            /** Runs By Status */
            runs_by_status: {
                [key: string]: number;
            };
            /** Decisions */
            decisions: number;
            /** Decisions By Rule */
            decisions_by_rule: {
                [key: string]: number;
            };
            /** Decisions By Outcome */
            decisions_by_outcome: {
                [key: string]: number;
            };
            /**
             * Success Rate
             * @description 0..1; null before the first decision
             */
            success_rate: number | null;
            /** Jobs By State */
            jobs_by_state: {
                [key: string]: number;
            };
            /** Jobs Needing Attention */
            jobs_needing_attention: number;
            /** Jobs In Recovery */
            jobs_in_recovery: number;
        };
        /**
         * RecoveryView
         * @description The job's last recovery. `method` is its cause.
         */
        RecoveryView: {
            /** Attempted */
            attempted: boolean;
            /** At */
            at: string | null;
            /** Method */
            method: string | null;
            /**
             * Last Validated
             * @description Time of the last conclusive observation.
             */
            last_validated: string | null;
            /** Polling Restarted At */
            polling_restarted_at: string | null;
        };
        /**
         * ReplayView
         * @description A replayed run. `different` lists the jobs whose decision differs from the recorded one: the code has changed.
         *
         *     `what_if` lists the jobs that the other policy would decide otherwise; null without another policy.
         */
        ReplayView: {
            run: components["schemas"]["RunView"];
            /** Decisions */
            decisions: number;
            /** Identical */
            identical: number;
            /** Different */
            different: components["schemas"]["Change"][];
            /** What If */
            what_if?: components["schemas"]["Change"][] | null;
            /** Items */
            items: components["schemas"]["JobReplay"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * ReplayedDecision
         * @description A decision, recorded or made again. Without an outcome, the VMA would be asked again.
         */
        ReplayedDecision: {
            /** Outcome */
            outcome: string | null;
            /** Rule */
            rule: string | null;
            /** Basis */
            basis: string | null;
            /** Reason */
            reason: string;
        };
        /**
         * ReportResult
         * @description Whether a report changed anything; if not, `why` gives the reason.
         */
        ReportResult: {
            /** Applied */
            applied: boolean;
            /** Why */
            why: string | null;
            /** State */
            state: string;
            /**
             * Observed At
             * Format: date-time
             */
            observed_at: string;
        };
        /**
         * RuleChange
         * @description A job that two runs decided by different rules; null where a run did not decide it.
         */
        RuleChange: {
            /** Job Id */
            job_id: string;
            /** A */
            a: string | null;
            /** B */
            b: string | null;
        };
        /**
         * RunDecisionView
         * @description A run's decision on one job.
         */
        RunDecisionView: {
            /** Job Id */
            job_id: string;
            /** State Before */
            state_before: string;
            /** Vma Status */
            vma_status: string;
            /** Outcome */
            outcome: string;
            /** Rule */
            rule: string;
            /** Basis */
            basis: string | null;
            /** Reason */
            reason: string;
        };
        /**
         * RunView
         * @description A recovery run, with the policy that it used. `outcomes` and `rules` count its decisions so far.
         */
        RunView: {
            /** Run Id */
            run_id: string;
            /** Status */
            status: string;
            /** Dry Run */
            dry_run: boolean;
            /** Cause */
            cause: string | null;
            /** Instance */
            instance: string;
            /** Policy */
            policy: {
                [key: string]: unknown;
            } | null;
            /** Policy Hash */
            policy_hash: string;
            /** Jobs */
            jobs: number;
            /**
             * Settled
             * @description Jobs that are decided, or were settled elsewhere.
             */
            settled: number;
            /** Started At */
            started_at: string | null;
            /**
             * Ended At
             * @description null while it runs
             */
            ended_at: string | null;
            /** Outcomes */
            outcomes: {
                [key: string]: number;
            };
            /** Rules */
            rules: {
                [key: string]: number;
            };
            /** Resumed */
            resumed: number;
            /**
             * Polled Again
             * @description Resumed jobs that were polled; null unless it is finished.
             */
            polled_again: number | null;
            /**
             * Left Replicating
             * @description The other resumed jobs; null unless it is finished.
             */
            left_replicating: number | null;
            /**
             * Settled Elsewhere
             * @description Jobs that had ended before; null for an interrupted run, which could not store it.
             */
            settled_elsewhere: number | null;
            /**
             * Decided In
             * @description Seconds until every job was decided; null before.
             */
            decided_in: number | null;
            /**
             * Verified In
             * @description Seconds until polling was verified; null before, and for a dry run.
             */
            verified_in: number | null;
        };
        /**
         * Scope
         * @description What a token allows; each includes the previous one.
         * @enum {string}
         */
        Scope: "read" | "operate" | "admin";
        /**
         * SealView
         * @description The log's last seal. A copy stored elsewhere proves later that no earlier event was changed.
         */
        SealView: {
            /** Position */
            position: number;
            /** Hash */
            hash: string;
        };
        /**
         * SessionView
         * @description The caller, by the token of its request. The name is the actor of its commands.
         */
        SessionView: {
            /** Name */
            name: string;
            scope: components["schemas"]["Scope"];
            /**
             * Tokens Required
             * @description Without it, every caller has the scope `admin` and sends no token.
             */
            tokens_required: boolean;
        };
        /**
         * SettingView
         * @description One setting. Users, passwords and tokens in it are masked.
         */
        SettingView: {
            /**
             * Name
             * @example JOB_RECOVERY_POLL_INTERVAL
             */
            name: string;
            /** Value */
            value: unknown;
            /** Default */
            default: unknown;
            /** Is Default */
            is_default: boolean;
        };
        /**
         * Telemetry
         * @description A worker's report in the VMA's vocabulary. If all figures are 0, only the status counts.
         * @example {
         *       "bytes_transferred": 17825792,
         *       "current_phase": "Transfer",
         *       "disks": [
         *         {
         *           "bytes_transferred": 17825792,
         *           "disk_index": 0,
         *           "progress_percent": 41.5,
         *           "status": "transferring",
         *           "total_bytes": 42949672960
         *         }
         *       ],
         *       "progress_percent": 41.5,
         *       "status": "in_progress",
         *       "timestamp": "2025-10-03T14:00:00Z",
         *       "total_bytes": 42949672960
         *     }
         */
        Telemetry: {
            /**
             * Status
             * @description Case, blanks, `_` and `-` are ignored.
             * @enum {string}
             */
            status: "in_progress" | "starting" | "running" | "inprogress" | "pending" | "queued" | "preparing" | "snapshotting" | "streaming" | "finalizing" | "transferring" | "active" | "scheduled" | "waiting" | "initializing" | "initialising" | "connecting" | "reconnecting" | "syncing" | "synchronizing" | "replicating" | "copying" | "processing" | "verifying" | "validating" | "finalising" | "finishing" | "completing" | "paused" | "pausing" | "suspended" | "suspending" | "resuming" | "resumed" | "retrying" | "cancelling" | "canceling" | "aborting" | "terminating" | "stopping" | "completed" | "succeeded" | "failed" | "error" | "cancelled" | "canceled" | "aborted" | "terminated";
            /**
             * Current Phase
             * @description A text. An unreadable value is ignored.
             */
            current_phase?: unknown;
            /**
             * Bytes Transferred
             * @description Bytes. An unreadable value is ignored.
             */
            bytes_transferred?: unknown;
            /**
             * Total Bytes
             * @description Bytes. An unreadable value is ignored.
             */
            total_bytes?: unknown;
            /**
             * Progress Percent
             * @description Percent; more than 100 is 100. An unreadable value is ignored.
             */
            progress_percent?: unknown;
            /**
             * Disks
             * @description A list of disks, each with `disk_id` (the volume, its export, or any name) or `disk_index`, and with `status`, `bytes_transferred`, `total_bytes`, `progress_percent`, `error_message`. An unreadable value is ignored.
             */
            disks?: unknown;
            /**
             * Error
             * @description A text, or an object with a `message`. An unreadable value is ignored.
             */
            error?: unknown;
            /**
             * Timestamp
             * @description When it was sent, by the worker's clock; only compared with its other reports. An unreadable value is ignored.
             */
            timestamp?: unknown;
        };
        /**
         * TokenView
         * @description A token without its secret.
         */
        TokenView: {
            /** Name */
            name: string;
            scope: components["schemas"]["Scope"];
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
        };
        /**
         * Unwatched
         * @description A VMA whose jobs no instance watches, and the database session that keeps it, if there is one.
         */
        Unwatched: {
            /** Vma */
            vma: string;
            /** Held By */
            held_by: string | null;
        };
        /**
         * VMAStatusView
         * @description The state of one VMA. `down`: it was unreachable as a whole at the last probe.
         */
        VMAStatusView: {
            /** Circuit */
            circuit: string | null;
            /** Down */
            down: boolean;
            /** Last Error */
            last_error: string | null;
            /** Active Jobs */
            active_jobs: number;
            /**
             * Lag Seconds
             * @description How late its polls are; above some seconds, the VMA is too slow.
             */
            lag_seconds: number;
        };
        /**
         * VMContextView
         * @description A VM and its active job. `jobs` counts its jobs.
         */
        VMContextView: {
            /** Vm Context Id */
            vm_context_id: string;
            /** Vm Name */
            vm_name: string;
            /** Active Job */
            active_job: string | null;
            /** Last Job */
            last_job: string | null;
            /** Jobs */
            jobs: number;
        };
        /**
         * WhatIfView
         * @description The decisions of all runs of a period that another policy changes. Nothing was written.
         */
        WhatIfView: {
            /** Policy */
            policy: {
                [key: string]: number;
            };
            /** Runs */
            runs: number;
            /** Decisions */
            decisions: number;
            /** Changes */
            changes: components["schemas"]["Change"][];
        };
        /**
         * Problem
         * @description An error, as RFC 9457 problem details.
         */
        Problem: {
            /**
             * Type
             * @default about:blank
             */
            type?: string;
            /** Title */
            title: string;
            /** Status */
            status: number;
            /** Detail */
            detail: string;
            /** Instance */
            instance: string;
        };
        /**
         * StreamReset
         * @description Data of the event `reset`: the log does not have the event that the client received last.
         */
        StreamReset: {
            /**
             * Position
             * @description The stream goes on after this position.
             */
            position: number;
            /** Why */
            why: string;
        };
        /**
         * StreamedEvent
         * @description One event of the stream.
         */
        StreamedEvent: {
            /**
             * Id
             * @description The event's position in the log and a digest of it; for `Last-Event-ID`.
             */
            id: string;
            /**
             * Event
             * @description The type of the stored event, or `reset`.
             */
            event: string;
            /**
             * Data
             * @description As JSON. For `reset`: where the stream goes on, and why.
             */
            data: components["schemas"]["AuditEntry"] | components["schemas"]["StreamReset"];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    livez_livez_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Liveness"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    livez_livez_head: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Liveness"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readyz_readyz_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not ready */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
        };
    };
    readyz_readyz_head: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not ready */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
        };
    };
    health_health_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    metrics_metrics_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Prometheus' text format */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": unknown;
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_jobs_api_v1_jobs_get: {
        parameters: {
            query?: {
                state?: ("replicating" | "recovering" | "pending-retry" | "completed" | "failed")[];
                vm_context_id?: string[];
                needs_attention?: boolean | null;
                /** @description Maximum number of items. */
                limit?: number;
                /** @description `next_cursor` of the previous page. That of a list of the past has its moment, too, which counts instead of any other. */
                cursor?: string | null;
                /** @description The state after the last event that was recorded by this time. A date is the whole day, a second the whole second. */
                at?: string | null;
                /** @description The state after the event at this position: the exact form. */
                position?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobPage"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    register_job_api_v1_jobs_post: {
        parameters: {
            query?: never;
            header?: {
                /** @description With `request-` before it, the `causation_id` of the first events that the request causes, and the `correlation_id` of all that follow; those of a recovery run have the run's id instead. Up to 100 letters, digits and `._:-`: any other is replaced by a new one. */
                "x-request-id"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewJob"];
            };
        };
        responses: {
            /** @description The job is registered already */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_job_api_v1_jobs__job_id__get: {
        parameters: {
            query?: {
                /** @description Add `hindsight`: what is known of the moment by the events up to this time or `position:N`. Without a moment, of this time. */
                as_known?: string | null;
                /** @description The job at this version. */
                version?: number | null;
                /** @description The state after the last event that was recorded by this time. A date is the whole day, a second the whole second. */
                at?: string | null;
                /** @description The state after the event at this position: the exact form. */
                position?: number | null;
            };
            header?: {
                /** @description 304 if the response has one of these `ETag`s. `*` is any. `W/` makes no difference. */
                "if-none-match"?: string[];
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    /** @description A strong tag of this response, `"VERSION.EVENT.DIGEST"`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description The response has a tag of If-None-Match */
            304: {
                headers: {
                    /** @description A strong tag of this response, `"VERSION.EVENT.DIGEST"`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    diff_job_api_v1_jobs__job_id__diff_get: {
        parameters: {
            query: {
                /** @description A version, `position:N`, or a time. */
                from: number | string;
                /** @description A version, `position:N`, or a time. */
                to: number | string;
            };
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DiffView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_events_api_v1_jobs__job_id__events_get: {
        parameters: {
            query?: {
                /** @description Maximum number of items. */
                limit?: number;
                /** @description `next_cursor` of the previous page. */
                cursor?: string | null;
            };
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_AuditEntry_"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    decide_job_api_v1_jobs__job_id__decision_post: {
        parameters: {
            query?: never;
            header?: {
                /** @description Only if the job has the version and the last event of one of these `ETag`s, such as `"7.1a2b3c4d.0f1e2d3c4b5a6978"`; otherwise 412. `*` is any. A weak tag, `W/…`, never matches. */
                "if-match"?: string[];
                /** @description With `request-` before it, the `causation_id` of the first events that the request causes, and the `correlation_id` of all that follow; those of a recovery run have the run's id instead. Up to 100 letters, digits and `._:-`: any other is replaced by a new one. */
                "x-request-id"?: string | null;
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OperatorOrder"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    /** @description A strong tag of this response, `"VERSION.EVENT.DIGEST"`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Precondition Failed */
            412: {
                headers: {
                    /** @description A strong tag of this response, `"VERSION.EVENT.DIGEST"`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_vm_contexts_api_v1_vm_contexts_get: {
        parameters: {
            query?: {
                /** @description Only those with, or without, an active job. */
                active?: boolean | null;
                /** @description Maximum number of items. */
                limit?: number;
                /** @description `next_cursor` of the previous page. */
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_VMContextView_"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_vm_context_api_v1_vm_contexts__vm_context_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                vm_context_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VMContextView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    compare_runs_api_v1_recovery_runs_compare_get: {
        parameters: {
            query: {
                a: string;
                b: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CompareView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    what_if_over_runs_api_v1_recovery_runs_what_if_get: {
        parameters: {
            query?: {
                complete_above_percent?: number | null;
                unreachable_timeout?: number | null;
                unreachable_grace?: number | null;
                startup_grace?: number | null;
                confirmation_window?: number | null;
                confirmation_probes?: number | null;
                amnesia_share?: number | null;
                completion_window?: number | null;
                amnesia_at_least?: number | null;
                attention_after?: number | null;
                run_id?: string | null;
                from?: string | null;
                to?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhatIfView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replay_run_api_v1_recovery_runs__run_id__replay_get: {
        parameters: {
            query?: {
                complete_above_percent?: number | null;
                unreachable_timeout?: number | null;
                unreachable_grace?: number | null;
                startup_grace?: number | null;
                confirmation_window?: number | null;
                confirmation_probes?: number | null;
                amnesia_share?: number | null;
                completion_window?: number | null;
                amnesia_at_least?: number | null;
                attention_after?: number | null;
                /** @description Maximum number of items. */
                limit?: number;
                /** @description `next_cursor` of the previous page. */
                cursor?: string | null;
            };
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReplayView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    export_run_api_v1_recovery_runs__run_id__export_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The run as one file */
            200: {
                headers: {
                    /** @description How many events the whole export has. */
                    "Job-Recovery-Events"?: number;
                    /** @description The export has the events up to this position. */
                    "Job-Recovery-Position"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": unknown;
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_runs_api_v1_recovery_runs_get: {
        parameters: {
            query?: {
                /** @description Maximum number of items. */
                limit?: number;
                /** @description `next_cursor` of the previous page. */
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_RunView_"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    start_run_api_v1_recovery_runs_post: {
        parameters: {
            query?: never;
            header?: {
                /** @description With `request-` before it, the `causation_id` of the first events that the request causes, and the `correlation_id` of all that follow; those of a recovery run have the run's id instead. Up to 100 letters, digits and `._:-`: any other is replaced by a new one. */
                "x-request-id"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewRun"];
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_run_api_v1_recovery_runs__run_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_decisions_api_v1_recovery_runs__run_id__decisions_get: {
        parameters: {
            query?: {
                /** @description Maximum number of items. */
                limit?: number;
                /** @description `next_cursor` of the previous page. */
                cursor?: string | null;
            };
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_RunDecisionView_"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_audit_api_v1_audit_get: {
        parameters: {
            query?: {
                order?: "newest" | "oldest";
                /** @description Maximum number of items. */
                limit?: number;
                /** @description `next_cursor` of the previous page. */
                cursor?: string | null;
                job_id?: string[];
                stream_id?: string[];
                run_id?: string[];
                correlation_id?: string[];
                causation_id?: string[];
                vm_context_id?: string[];
                rule?: ("still-running" | "completed-while-away" | "completion-unconfirmed" | "failed-on-vma" | "not-started-yet" | "never-seen" | "vma-replaced" | "vma-amnesia" | "gone-near-end" | "lost" | "unreachable-recent" | "unreachable-too-long" | "unanswered" | "unintelligible" | "not-asked" | "outcome-revised" | "operator")[];
                actor?: string[];
                outcome?: components["schemas"]["Outcome"][];
                basis?: components["schemas"]["Basis"][];
                type?: ("JobRegistered" | "VMAStatusObserved" | "RecoveryStarted" | "RecoveryDecided" | "OutcomeRevised" | "OutcomeConfirmed" | "OutcomeContradicted" | "OperatorDecided" | "JobStalled" | "JobMovedAgain" | "JobAdmitted" | "JobReleased" | "RecoveryRunStarted" | "RecoveryRunFinished" | "RecoveryRunInterrupted")[];
                state?: ("replicating" | "recovering" | "pending-retry" | "completed" | "failed")[];
                /** @description Recorded at this time or later. */
                from?: string | null;
                /** @description Recorded by it; a date is the whole day. */
                to?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_AuditEntry_"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    export_audit_api_v1_audit_export_get: {
        parameters: {
            query?: {
                order?: "newest" | "oldest";
                format?: "ndjson" | "csv";
                job_id?: string[];
                stream_id?: string[];
                run_id?: string[];
                correlation_id?: string[];
                causation_id?: string[];
                vm_context_id?: string[];
                rule?: ("still-running" | "completed-while-away" | "completion-unconfirmed" | "failed-on-vma" | "not-started-yet" | "never-seen" | "vma-replaced" | "vma-amnesia" | "gone-near-end" | "lost" | "unreachable-recent" | "unreachable-too-long" | "unanswered" | "unintelligible" | "not-asked" | "outcome-revised" | "operator")[];
                actor?: string[];
                outcome?: components["schemas"]["Outcome"][];
                basis?: components["schemas"]["Basis"][];
                type?: ("JobRegistered" | "VMAStatusObserved" | "RecoveryStarted" | "RecoveryDecided" | "OutcomeRevised" | "OutcomeConfirmed" | "OutcomeContradicted" | "OperatorDecided" | "JobStalled" | "JobMovedAgain" | "JobAdmitted" | "JobReleased" | "RecoveryRunStarted" | "RecoveryRunFinished" | "RecoveryRunInterrupted")[];
                state?: ("replicating" | "recovering" | "pending-retry" | "completed" | "failed")[];
                /** @description Recorded at this time or later. */
                from?: string | null;
                /** @description Recorded by it; a date is the whole day. */
                to?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All events of the filter that were stored when the export began */
            200: {
                headers: {
                    /** @description How many events the whole export has. */
                    "Job-Recovery-Events"?: number;
                    /** @description The export has the events up to this position. */
                    "Job-Recovery-Position"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": unknown;
                    "text/csv": unknown;
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_seal_api_v1_audit_seal_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SealView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_entry_api_v1_audit__position__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                position: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditEntry"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_chain_api_v1_audit__position__chain_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                position: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChainView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stream_events_api_v1_events_stream_get: {
        parameters: {
            query?: {
                /** @description The same, or a position, for a first connection. */
                after?: string | null;
                job_id?: string[];
                stream_id?: string[];
                run_id?: string[];
                correlation_id?: string[];
                causation_id?: string[];
                vm_context_id?: string[];
                rule?: ("still-running" | "completed-while-away" | "completion-unconfirmed" | "failed-on-vma" | "not-started-yet" | "never-seen" | "vma-replaced" | "vma-amnesia" | "gone-near-end" | "lost" | "unreachable-recent" | "unreachable-too-long" | "unanswered" | "unintelligible" | "not-asked" | "outcome-revised" | "operator")[];
                actor?: string[];
                outcome?: components["schemas"]["Outcome"][];
                basis?: components["schemas"]["Basis"][];
                type?: ("JobRegistered" | "VMAStatusObserved" | "RecoveryStarted" | "RecoveryDecided" | "OutcomeRevised" | "OutcomeConfirmed" | "OutcomeContradicted" | "OperatorDecided" | "JobStalled" | "JobMovedAgain" | "JobAdmitted" | "JobReleased" | "RecoveryRunStarted" | "RecoveryRunFinished" | "RecoveryRunInterrupted")[];
                state?: ("replicating" | "recovering" | "pending-retry" | "completed" | "failed")[];
                /** @description Recorded at this time or later. */
                from?: string | null;
                /** @description Recorded by it; a date is the whole day. */
                to?: string | null;
            };
            header?: {
                /** @description The id of the last event that was received. Browsers send it. */
                "last-event-id"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Server-sent events; the response has no end */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    report_api_v1_telemetry__job_type___job_id__post: {
        parameters: {
            query?: never;
            header?: {
                /** @description With `request-` before it, the `causation_id` of the first events that the request causes, and the `correlation_id` of all that follow; those of a recovery run have the run's id instead. Up to 100 letters, digits and `._:-`: any other is replaced by a new one. */
                "x-request-id"?: string | null;
            };
            path: {
                job_type: "replication" | "backup";
                job_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Telemetry"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReportResult"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    recovery_status_api_v1_recovery_status_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryStatus"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    polling_status_api_v1_polling_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PollingStatus"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    job_polling_api_v1_polling__job_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobPolling"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_instances_api_v1_instances_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InstancesView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_session_api_v1_session_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_settings_api_v1_settings_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_SettingView_"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_tokens_api_v1_tokens_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_TokenView_"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
